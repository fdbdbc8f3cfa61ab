// The shapes that travel between server and browser, and those that the modules hand to each other.
// They are ambient: known to every module without an import.

type Status = "queued" | "in_progress" | "completed" | "failed" | "cancelled";
type Position = [attempt: number, seq: number];

interface TextBlock { type: "text"; text: string; annotations?: { type?: unknown; url?: unknown; title?: unknown }[] }
interface ReasoningBlock { type: "reasoning"; reasoning: string }
/** Of a tool that runs only if the user says so; `question` is where in the generation they were asked. */
interface Asked { approval?: Approval; question?: string }
type Approval = "asked" | "approved" | "refused" | "expired";
interface ToolCallChunkBlock { type: "tool_call_chunk"; id: string; name: string; args: string; extras?: Asked }
interface ToolCallBlock {
  type: "tool_call";
  id: string;
  name: string;
  args: Record<string, unknown>;
  extras: Asked & { result?: string; error?: string };
}
/** A file of a message, by reference. */
interface FileBlock {
  type: "image" | "file";
  file_id: string;
  mime_type: string;
  extras: { name: string; size: number; width?: number; height?: number; pages?: number };
}
type Block = FileBlock | TextBlock | ReasoningBlock | ToolCallChunkBlock | ToolCallBlock;

interface Failure { code: string; message: string; retryable: boolean }
type Usage = Record<string, unknown>;
type Timings = Record<string, unknown>;

interface Snapshot {
  generation: string;
  message: string;
  attempt: number;
  seq: number;
  status: Status;
  content: Block[];
  model: string | null;
  error: Failure | null;
  usage: Usage;
  timings: Timings;
  finish_reason?: string | null;
}

interface GenerationData {
  id: string;
  status: Status;
  attempt: number;
  seq: number;
  model: string | null;
  error: Failure | null;
  usage: Usage;
  timings: Timings;
  finish_reason?: string | null;
}

interface Message {
  id: string;
  conversation: string;
  parent: string | null;
  role: "user" | "assistant" | "system";
  content: Block[];
  created_at: string;
  generation: GenerationData | null;
  feedback?: Rated | null;
  /** All versions of it, where there are several and the server gave it with a window. */
  siblings?: string[];
}

/** What the owner thinks of an answer: 1 is good, -1 is bad. */
interface Rated { rating: 1 | -1; comment: string }

interface Conversation {
  id: string;
  title: string;
  pinned: boolean;
  archived: boolean;
  folder: string | null;
  temporary: boolean;
  updated_at: string;
  active: string[];
}

interface SearchPiece { text: string; hit: boolean }

/** `message` is null where it is the title that matches. */
interface SearchHit {
  conversation: string;
  title: SearchPiece[];
  archived: boolean;
  message: string | null;
  role: string | null;
  excerpt: SearchPiece[];
  at: string;
}

interface Folder { id: string; name: string }

interface ModelChoice {
  slug: string;
  label: string;
  description: string;
  default: boolean;
  tools: string[];
  images: boolean;
  reasons: boolean;
}

/** What the owner of a conversation wants of its model; null: what it comes with. */
interface ChatSettings { system_prompt: string; temperature: number | null; tools: string[] | null }
interface ChosenSettings extends ChatSettings { model: string }

/** A file as the server knows it; `reads` is how much of it a model can read. */
interface AttachmentData {
  id: string;
  name: string;
  kind: "image" | "pdf" | "text";
  media_type: string;
  size: number;
  pages: number | null;
  width: number | null;
  height: number | null;
  reads: "whole" | "part" | "none";
  sent: boolean;
}

/** A file in the composer. `held`: a message has it already. */
interface FileEntry {
  key: string;
  name: string;
  isImage: boolean;
  size: number;
  state: "uploading" | "ready" | "failed";
  progress: number;
  reason: string;
  retryable: boolean;
  reads: AttachmentData["reads"];
  block: FileBlock | null;
  held: boolean;
  file: File | null;
  preview: string | null;
  abort: AbortController | null;
}

interface FileStorage {
  load(): FileBlock[];
  save(files: FileBlock[]): void;
}

/** The conversation that a page opens, with what only its own page needs to know. */
interface OpenConversation {
  id: string;
  title: string;
  pinned: boolean;
  archived: boolean;
  folder: string | null;
  temporary: boolean;
  expires_at: string | null;
  model: string | null;
  settings: ChatSettings;
}

/**
 * A part of a path, oldest first. Where the path goes on below the last message, `newer` has the
 * children of that one; `latest` is the end of the path.
 */
interface MessageWindow { messages: Message[]; newer: string[]; latest: string | null }

interface PageData extends MessageWindow {
  user: { id: string | number; name: string };
  limits: { message_chars: number; file_mb: number; files: number };
  models: ModelChoice[];
  /** All that is pinned, and the newest of what is in no folder. */
  conversations: Conversation[];
  /** Where the list goes on; null: it is whole. */
  next: string | null;
  folders: Folder[];
  conversation: OpenConversation | null;
  /** The one that was asked for: it is to be shown, and the window is the one around it. */
  message: string | null;
}

interface Numbered { generation: string; attempt: number; seq: number }
interface Ending extends Numbered { model?: string; usage?: Usage; timings?: Timings }

type StreamEvent =
  | (Numbered & { type: "generation.started"; conversation?: string; message?: string; model?: string | null })
  | (Numbered & { type: "text.delta" | "reasoning.delta"; text: string })
  | (Numbered & { type: "tool_call.started" | "tool_call.delta"; tool_call: string; name?: string; args?: string })
  | (Numbered & { type: "tool_call.finished"; tool_call: string; name?: string; args?: string; result?: string; error?: string })
  | (Numbered & { type: "progress"; label?: string; data?: unknown; tool_call?: string; approval?: Approval })
  | EndingEvent;

type EndingEvent =
  | (Ending & { type: "generation.completed"; finish_reason?: string })
  | (Ending & { type: "generation.cancelled" })
  | (Ending & { type: "generation.failed"; code: string; message: string; retryable: boolean });

interface SnapshotFrame extends Numbered {
  type: "snapshot";
  conversation?: string;
  message: string;
  status: Status;
  content: Block[];
  model?: string | null;
  error?: Failure | null;
  usage?: Usage;
  timings?: Timings;
  finish_reason?: string | null;
}

interface AckFrame {
  type: "ack";
  id: string;
  conversation?: string;
  message?: string;
  reply?: string;
  generation?: string;
  active?: string[];
}

interface ErrorFrame {
  type: "error";
  id: string | null;
  code: string;
  message: string;
  retryable: boolean;
  retry_after?: number;
}

interface QueuedFrame {
  type: "generation.queued";
  conversation: string;
  generation: string;
  message: string;
  position?: number | null;
}

type Frame =
  | StreamEvent
  | SnapshotFrame
  | AckFrame
  | ErrorFrame
  | QueuedFrame
  | { type: "pong"; id?: string }
  | { type: "message.created"; conversation: string; message: Message }
  | ({ type: "conversation.updated"; conversation: string } & Partial<Omit<Conversation, "id">>)
  | { type: "conversation.deleted"; conversation: string }
  | { type: "conversation.settings"; conversation: string; settings: ChosenSettings }
  | { type: "message.rated"; conversation: string; message: string; feedback: Rated | null }
  | { type: "folders.updated"; folders: Folder[] };

interface SubmitCommand {
  type: "message.submit";
  id: string;
  client_message_id: string;
  conversation: string | null;
  parent: string | null;
  text: string;
  model?: string;
  settings?: ChatSettings;
  attachments?: string[];
}
interface RetryCommand { type: "generation.retry"; id: string; message: string; model?: string; continue?: true }
interface CancelCommand { type: "generation.cancel"; id: string; generation: string }
type KeptCommand = SubmitCommand | RetryCommand | CancelCommand;
type Command =
  | KeptCommand
  | { type: "resume"; id: string; conversation: string; positions: Record<string, Position> }
  | { type: "leave"; id: string; conversation: string }
  | ({ type: "received"; id: string } & Numbered)
  | { type: "ping"; id: string };

/** What the connection is doing. `at` is the time of the next try, in milliseconds since 1970. */
type LineState =
  | { name: "connecting" }
  | { name: "open" }
  | { name: "waiting"; at: number }
  | { name: "ended"; code: number };

/** A command that the server has not answered yet; `reason` is why it was put off. */
interface OutboxEntry {
  command: KeptCommand;
  sent: boolean;
  tries: number;
  since: number | null;
  due: number;
  reason: string | null;
  /** What the message will show of its files. */
  files?: FileBlock[];
}

/** Keeps messages that the server has not taken over a reload of the page. */
interface OutboxStorage {
  load(): SubmitCommand[];
  save(commands: SubmitCommand[]): void;
}

interface Prompt { id: string; title: string; text: string }
interface Preset extends ChatSettings { id: string; name: string; model: string }

/** A message as its writer left it, without the place where it goes. */
interface NextMessage { text: string; attachments?: string[] }

/** One that waits. `id` becomes its client_message_id; `after` is the question whose answer it was written behind. */
interface QueuedMessage { id: string; conversation: string | null; after: string | null; hurry: boolean; message: NextMessage }

/** What a generation and its running tool calls are busy with, or its place in the queue. */
interface Note { label?: string; standIn?: string; calls?: Record<string, string>; position?: number }

/** A message on the shown path, with all that its view needs. */
interface Item {
  message: Message;
  snapshot: Snapshot | null;
  note: Note | undefined;
  siblings: { index: number; ids: string[] };
  models: ModelChoice[];
  /** Whether the branch is at rest, so that it can be edited or tried again. */
  quiet: boolean;
}

/** What goes to the frame that draws diagrams, and what comes back; id 0 says that it is ready. */
interface DiagramWish { id: number; text: string; dark: boolean; colours: Record<string, string> }
interface DiagramAnswer { id: number; svg?: string; width?: number; height?: number; error?: string }

type MarkdownToken = import("marked").Token;

type Change =
  | { kind: "line"; state: LineState }
  | { kind: "conversations" }
  | { kind: "reloaded"; conversation: string; messages: Message[] }
  | { kind: "messages"; conversation: string }
  | { kind: "generation"; generation: string; conversation: string; event: string }
  | { kind: "settings"; conversation: string; settings: ChosenSettings }
  | { kind: "rated" }
  | { kind: "pending" }
  | { kind: "opened"; conversation: string }
  | { kind: "missing"; conversation: string }
  | { kind: "trouble"; message: string }
  | { kind: "refused"; command: KeptCommand; message: string };

/** The small part of a browser's WebSocket that the connection uses. */
interface SocketLike {
  onopen: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

declare module "highlight" {
  const highlighter: {
    getLanguage(name: string): unknown;
    highlight(code: string, options: { language: string; ignoreIllegals?: boolean }): { value: string };
  };
  export default highlighter;
}

/** What a read-only link shows. Nothing in it says whose it is. */
interface SharedFile {
  type: "image" | "file";
  file_id: string;
  mime_type: string;
  extras: { name?: string; size?: number; width?: number; height?: number };
}
type SharedBlock = TextBlock | ReasoningBlock | ToolCallBlock | SharedFile | { type: "left_out" };
interface SharedMessage { role: "user" | "assistant" | "system"; content: SharedBlock[]; model: string | null; created_at: string }

interface ShareLink {
  id: string;
  url: string;
  title: string;
  conversation: string;
  with_attachments: boolean;
  created_at: string;
  updated_at: string;
}

interface ImportState {
  id: string;
  name: string;
  status: "queued" | "running" | "completed" | "failed";
  total: number;
  done: number;
  created: number;
  extended: number;
  unchanged: number;
  refused: number;
  problems: string[];
  error: string;
}
