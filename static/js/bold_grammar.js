// Bold in Chinese, Japanese and Korean. CommonMark knows an opening mark from a closing one by the
// spaces around them. These languages write none, so that `**注意：**请看` would show its stars.

const BOLD = /^\*\*(?![\s*])((?:[^*\n`]|`[^*\n`]+`)+)(?<!\s)\*\*(?!\*)/;
const LETTER = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;

/** @type {import("marked").TokenizerExtension} */
export const bold = {
  name: "bold",
  level: "inline",
  tokenizer(source) {
    const [raw, text = ""] = BOLD.exec(source) ?? [];
    if (raw === undefined || !LETTER.test(text + source.slice(raw.length, raw.length + 2))) return undefined;
    return { type: "strong", raw, text, tokens: this.lexer.inlineTokens(text) };
  },
};
