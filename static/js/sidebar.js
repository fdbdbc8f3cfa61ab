// Draws the list of conversations: what is pinned, the folders, the rest by age; or the archive.

import { ARCHIVE, MAIN } from "./conversation_lists.js";
import { ConversationLink } from "./conversation_link.js";
import { byId, clone, find, setText } from "./dom.js";
import { Drawer } from "./drawer.js";
import { preference, setPreference } from "./keep.js";
import { arrange } from "./sidebar_groups.js";

/** @typedef {{conversations: Conversation[], folders: Folder[], open: string | null, archive: boolean}} Shown */

export class Sidebar extends Drawer {
  /** @type {import("./conversation_lists.js").ConversationLists | null} */ lists = null;
  /** @type {Map<string, ConversationLink>} */ #links = new Map();
  /** @type {Map<string, HTMLElement>} */ #folders = new Map();
  /** @type {Shown | null} */ #drawn = null;
  #list = byId("conversations");
  #archive = false;
  #held = false;

  constructor() {
    super();
    new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) this.#loadMore(); },
      { root: byId("sidebar-list"), rootMargin: "400px" }).observe(byId("more-conversations"));
    byId("more-conversations").addEventListener("click", () => this.#loadMore());
  }

  /** @param {boolean} shown the archive, or the list */
  showArchive(shown) {
    this.#archive = shown;
    this.redraw();
    this.#loadMore();
  }

  /** Holds the list still while something in it is being edited. @param {boolean} held */
  hold(held) {
    this.#held = held;
    if (!held) this.redraw();
  }

  /** Draws the next time, whatever seems to be the same. */
  forget() {
    if (!this.#held) this.#drawn = null;
  }

  redraw() {
    if (!this.#drawn) return;
    const { conversations, folders, open } = this.#drawn;
    this.#drawn = null;
    this.show(conversations, open, folders);
  }

  /** @param {Iterable<Conversation>} conversations newest first @param {string | null} open @param {Folder[]} folders */
  show(conversations, open, folders) {
    const next = { conversations: [...conversations], folders, open, archive: this.#archive };
    const drawn = this.#drawn;
    if (drawn && !this.#held && isSame(drawn, next)) return this.#drawMore();
    this.#drawn = next;
    if (!this.#held) this.#draw(next);
    return undefined;
  }

  /** @param {string} folder */
  isOpen(folder) {
    return preference(`folder:${folder}`) === "open";
  }

  /** @param {string} folder @param {boolean} open */
  openFolder(folder, open) {
    setPreference(`folder:${folder}`, open ? "open" : "");
    this.redraw();
  }

  /** @param {Shown} shown */
  #draw({ conversations, folders, open, archive }) {
    const focused = document.activeElement;
    const known = this.#links;
    this.#links = new Map();
    const link = (/** @type {Conversation} */ one) => {
      const made = known.get(one.id) ?? new ConversationLink();
      this.#links.set(one.id, made);
      return made.update(one, one.id === open);
    };
    const groups = arrange(conversations, folders, archive, new Date());
    const section = (/** @type {import("./sidebar_groups.js").Group} */ group) => this.#section(group, group.members.map(link));
    byId("pinned").replaceChildren(...groups.pinned.map(section));
    byId("folders").replaceChildren(...groups.folders.map(({ folder, members }) => this.#folder(folder, members, link)));
    this.#list.replaceChildren(...groups.aged.map(section));
    byId("archive-head").hidden = !archive;
    byId("folders-part").hidden = archive;
    byId("no-conversations").hidden = archive || conversations.some((one) => !one.archived);
    // Elements that are moved lose the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement && byId("sidebar").contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    this.#drawMore();
  }

  /** @param {import("./sidebar_groups.js").Group} group @param {HTMLElement[]} links */
  #section({ label }, links) {
    const section = clone("conversation-group");
    setText(find(section, "h2"), label);
    find(section, "ul").append(...links);
    return section;
  }

  /** @param {Folder} folder @param {Conversation[]} members @param {(one: Conversation) => HTMLElement} link */
  #folder(folder, members, link) {
    const section = this.#folders.get(folder.id) ?? clone("folder");
    this.#folders.set(folder.id, section);
    const open = this.isOpen(folder.id);
    section.dataset.folder = folder.id;
    setText(find(section, ".folder-name"), folder.name);
    find(section, ".folder-toggle").setAttribute("aria-expanded", String(open));
    find(section, "ul").replaceChildren(...(open ? members.map(link) : []));
    find(section, ".folder-body").hidden = !open;
    const hasMore = this.lists?.hasMore(folder.id) ?? false;
    find(section, ".folder-empty").hidden = members.length > 0 || hasMore;
    find(section, ".folder-next").hidden = !hasMore || members.length === 0;
    if (open && this.lists && !this.lists.state(folder.id).begun) void this.lists.more(folder.id);
    return section;
  }

  get #name() {
    return this.#archive ? ARCHIVE : MAIN;
  }

  #drawMore() {
    if (!this.lists) return;
    const { begun, failed } = this.lists.state(this.#name);
    const more = byId("more-conversations");
    more.toggleAttribute("data-more", this.lists.hasMore(this.#name));
    more.toggleAttribute("data-failed", failed);
    const isEmpty = this.#list.childElementCount === 0 && begun;
    byId("empty-archive").hidden = !(this.#archive && isEmpty);
    // What came may have been too little to push the end out of sight, and then nothing else says so.
    const { bottom } = more.getBoundingClientRect();
    if (!failed && this.lists.hasMore(this.#name) && bottom > 0 && bottom < innerHeight + 400) this.#loadMore();
  }

  #loadMore() {
    void this.lists?.more(this.#name);
  }
}

/** @param {Shown} one @param {Shown} other */
function isSame(one, other) {
  return one.open === other.open && one.folders === other.folders && one.archive === other.archive
    && one.conversations.length === other.conversations.length
    && one.conversations.every((conversation, at) => conversation === other.conversations[at]);
}
