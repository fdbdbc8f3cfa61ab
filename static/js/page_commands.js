// The commands of the page itself, and the list of shortcuts.

import { commandsWithKeys, registerCommand } from "./commands.js";
import { openDialog } from "./dialog.js";
import { byId, clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";
import { keyElement } from "./palette.js";

/**
 * @param {import("./chat_page.js").ChatPage} page
 * @param {import("./navigation.js").Navigation} navigation
 */
export function registerPageCommands(page, navigation) {
  registerCommand({ label: gettext("New chat"), keys: ["Ctrl", "Shift", "O"], run: () => navigation.newChat() });
  registerCommand({ label: gettext("Search and commands"), keys: ["Ctrl", "K"] });
  registerCommand({ label: gettext("Show or hide the sidebar"), keys: ["Ctrl", "Shift", "S"], run: () => page.sidebar.toggle() });
  registerCommand({ label: gettext("Write a message"), keys: ["/"], run: () => page.composer.focus() });
  registerCommand({ label: gettext("Send the message"), keys: ["Enter"] });
  registerCommand({ label: gettext("New line in a message"), keys: ["Shift", "Enter"] });
  registerCommand({
    label: gettext("Stop the answer"), keys: ["Esc"], run: () => page.stop(), when: () => page.thread.isRunning,
  });
  registerCommand({
    label: gettext("Copy the last answer"), keys: ["Ctrl", "Shift", "C"], run: () => page.copyLast(), when: () => page.thread.last !== null,
  });
  registerCommand({ label: gettext("Rename a chat in the sidebar"), keys: ["F2"] });
  registerCommand({ label: gettext("Delete a chat in the sidebar"), keys: ["Del"] });
  registerCommand({ label: gettext("New folder"), run: () => { page.sidebar.reveal(); byId("new-folder").click(); } });
  registerCommand({ label: gettext("Archived chats"), run: () => { page.sidebar.reveal(); page.sidebar.showArchive(true); } });
  registerCommand({ label: gettext("Settings"), run: () => find(byId("account-menu"), '[data-action="settings"]').click() });
  for (const [theme, label] of [["light", gettext("Light theme")], ["dark", gettext("Dark theme")], ["system", gettext("Theme like the system")]]) {
    registerCommand({ label: label ?? "", run: () => find(byId("account-menu"), `input[name=theme][value=${theme}]`).click() });
  }
  registerCommand({ label: gettext("Keyboard shortcuts"), keys: ["?"], run: showShortcuts });
}

export function showShortcuts() {
  const dialog = openDialog("shortcuts");
  find(dialog, "dl").append(...commandsWithKeys().map(({ label, keys = [] }) => {
    const row = clone("shortcut");
    setText(find(row, "dt"), label);
    find(row, "dd").append(...keys.map(keyElement));
    return row;
  }));
}
