// What a generation looks like at one position, and how an event changes it. The server has the
// same function in Python; both run over tests/cases/apply.json.

/** An event that cannot follow: something between is missing. */
export class GapError extends Error {}

const ENDINGS = new Map(/** @type {[string, Status][]} */ ([
  ["generation.completed", "completed"],
  ["generation.failed", "failed"],
  ["generation.cancelled", "cancelled"],
]));

/**
 * A generation of which nothing is known yet.
 * @param {string} generation
 * @param {string} message
 * @returns {Snapshot}
 */
export function fresh(generation, message) {
  return {
    generation, message, attempt: 0, seq: 0, status: "queued", content: [],
    model: null, error: null, usage: {}, timings: {}, finish_reason: null,
  };
}

/**
 * Negative when `one` is before `other`, 0 when they are the same.
 * @param {{attempt: number, seq: number}} one
 * @param {{attempt: number, seq: number}} other
 */
export function comparePositions(one, other) {
  return one.attempt - other.attempt || one.seq - other.seq;
}

/** @param {{status: Status}} snapshot */
export function hasEnded(snapshot) {
  return snapshot.status !== "queued" && snapshot.status !== "in_progress";
}

/**
 * How an event stands to a snapshot: the next one, one that is known already, or one too far ahead.
 * @param {{attempt: number, seq: number}} snapshot
 * @param {{type: string, attempt: number, seq: number}} event
 * @returns {"next" | "old" | "gap"}
 */
export function follows(snapshot, event) {
  if (comparePositions(event, snapshot) <= 0) return "old";
  if (event.attempt === snapshot.attempt) return event.seq === snapshot.seq + 1 ? "next" : "gap";
  return event.type === "generation.started" && event.seq === 1 ? "next" : "gap";
}

/**
 * The snapshot after the event. An old event changes nothing; a gap throws GapError.
 * @param {Snapshot} snapshot
 * @param {StreamEvent} event
 * @returns {Snapshot}
 */
export function apply(snapshot, event) {
  const order = follows(snapshot, event);
  if (order === "old") return snapshot;
  if (order === "gap") throw new GapError(describeGap(snapshot, event));
  return { ...snapshot, ...changes(snapshot, event), attempt: event.attempt, seq: event.seq };
}

/**
 * The snapshot that a `snapshot` frame brings, or the present one when the frame is older.
 * @param {Snapshot} snapshot
 * @param {SnapshotFrame} frame
 * @returns {Snapshot}
 */
export function replace(snapshot, frame) {
  if (comparePositions(frame, snapshot) < 0) return snapshot;
  const { generation, message, attempt, seq, status, content } = frame;
  return {
    generation, message, attempt, seq, status, content,
    model: frame.model ?? snapshot.model,
    error: frame.error ?? null,
    usage: frame.usage ?? {},
    timings: frame.timings ?? {},
    finish_reason: frame.finish_reason ?? null,
  };
}

/**
 * @param {Snapshot} snapshot
 * @param {StreamEvent} event
 * @returns {Partial<Snapshot>}
 */
function changes(snapshot, event) {
  const { content } = snapshot;
  switch (event.type) {
    case "generation.started":
      return { status: "in_progress", model: event.model ?? null, content: [], error: null };
    case "text.delta":
      return { content: withText(content, event.text) };
    case "reasoning.delta":
      return { content: withReasoning(content, event.text) };
    case "tool_call.started":
      return { content: [...content, chunkOf(event.tool_call, event.name, event.args)] };
    case "tool_call.delta":
      return { content: withArgs(content, event.tool_call, event.args ?? "") };
    case "tool_call.finished":
      return { content: withToolCall(content, event) };
    case "progress":
      return event.approval === undefined ? {} : { content: withApproval(content, event) };
    case "generation.completed":
    case "generation.failed":
    case "generation.cancelled":
      return ending(event);
    default:
      return {};
  }
}

/**
 * @param {EndingEvent} event
 * @returns {Partial<Snapshot>}
 */
function ending(event) {
  const status = ENDINGS.get(event.type);
  const finish_reason = event.type === "generation.completed" ? event.finish_reason ?? null : null;
  const model = event.model ? { model: event.model } : {};
  const end = { ...model, status, usage: event.usage ?? {}, timings: event.timings ?? {}, finish_reason };
  if (event.type !== "generation.failed") return end;
  const { code, message, retryable } = event;
  return { ...end, error: { code, message, retryable } };
}

/**
 * @param {Block[]} content
 * @param {string} text
 * @returns {Block[]}
 */
function withText(content, text) {
  const last = content.at(-1);
  if (last?.type !== "text") return [...content, { type: "text", text }];
  return [...content.slice(0, -1), { ...last, text: last.text + text }];
}

/**
 * @param {Block[]} content
 * @param {string} text
 * @returns {Block[]}
 */
function withReasoning(content, text) {
  const last = content.at(-1);
  if (last?.type !== "reasoning") return [...content, { type: "reasoning", reasoning: text }];
  return [...content.slice(0, -1), { ...last, reasoning: last.reasoning + text }];
}

/**
 * @param {string} id
 * @param {string} [name]
 * @param {string} [args]
 * @returns {ToolCallChunkBlock}
 */
function chunkOf(id, name, args) {
  return { type: "tool_call_chunk", id, name: name ?? "", args: args ?? "" };
}

/**
 * @param {Block[]} content
 * @param {string} id
 * @param {string} args
 * @returns {Block[]}
 */
function withArgs(content, id, args) {
  return content.map((block) =>
    block.type === "tool_call_chunk" && block.id === id ? { ...block, args: block.args + args } : block);
}

/**
 * The question about a call, or what was decided. A question is known by its position: a call of a
 * later attempt, or of a later step, may have the same id.
 * @param {Block[]} content
 * @param {Extract<StreamEvent, {type: "progress"}>} event
 * @returns {Block[]}
 */
function withApproval(content, { approval, tool_call: call, attempt, seq }) {
  const said = { approval, ...(approval === "asked" && { question: `${attempt}-${seq}` }) };
  return content.map((block) =>
    block.type === "tool_call_chunk" && block.id === call ? { ...block, extras: { ...block.extras, ...said } } : block);
}

/**
 * @param {Block[]} content
 * @param {Extract<StreamEvent, {type: "tool_call.finished"}>} event
 * @returns {Block[]}
 */
function withToolCall(content, event) {
  const isOurs = (/** @type {Block} */ block) =>
    block.type === "tool_call_chunk" && block.id === event.tool_call;
  const chunk = /** @type {ToolCallChunkBlock | undefined} */ (content.find(isOurs));
  /** @type {ToolCallBlock} */
  const finished = {
    type: "tool_call",
    id: event.tool_call,
    name: event.name ?? chunk?.name ?? "",
    args: parseArgs(event.args ?? chunk?.args ?? ""),
    extras: { ...chunk?.extras, ...(event.error != null ? { error: event.error } : { result: event.result ?? "" }) },
  };
  return chunk ? content.map((block) => (block === chunk ? finished : block)) : [...content, finished];
}

/**
 * A model may write arguments that are no JSON object, or one that no database keeps (NUL, half a
 * surrogate pair, a number beyond all bounds); the call is then shown without any.
 * @param {string} text
 * @returns {Record<string, unknown>}
 */
function parseArgs(text) {
  try {
    const value = JSON.parse(text);
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    return isObject && isStorable(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isStorable(value) {
  if (typeof value === "string") return !/\0|\p{Surrogate}/u.test(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isStorable);
  if (value === null || typeof value !== "object") return true;
  return Object.entries(value).every(([key, each]) => isStorable(key) && isStorable(each));
}

/**
 * @param {Snapshot} snapshot
 * @param {{type: string, attempt: number, seq: number}} event
 */
function describeGap(snapshot, event) {
  const have = `(${snapshot.attempt}, ${snapshot.seq})`;
  return `expected what follows ${have}, got ${event.type} at (${event.attempt}, ${event.seq})`;
}
