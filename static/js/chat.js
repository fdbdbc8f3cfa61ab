// The entry of the chat page: starts it, and wires what the user does outside of the messages.

import { ChatPage } from "./chat_page.js";
import { ChatSettingsOfPage } from "./chat_settings.js";
import { installAnswerMenu } from "./answer_menu.js";
import { installApproval } from "./approval.js";
import { installSidebar } from "./conversation_menu.js";
import { byId } from "./dom.js";
import { installLibrary } from "./library_of_page.js";
import { attachMenu } from "./menu.js";
import { Navigation } from "./navigation.js";
import { registerPageCommands, showShortcuts } from "./page_commands.js";
import { readPageData } from "./page_data.js";
import { QueueView } from "./queue_view.js";
import { installRetryMenu } from "./retry_menu.js";
import { installPalette, togglePalette } from "./palette.js";
import { installDownloads } from "./download_menu.js";
import { installTemporaryChats } from "./temporary.js";
import { installSharing } from "./share_dialog.js";
import { installPreferences } from "./preferences.js";
import { listenForShortcuts } from "./shortcuts.js";
import { listenForWaking } from "./waking.js";

const data = readPageData(document);
if (!data) throw new Error("the page has no data");

const page = new ChatPage(data, {
  opened: (conversation) => navigation.made(conversation),
  missing: () => navigation.leave(),
});
const navigation = new Navigation(page);
installSidebar(page, navigation, data);
installPalette(page);
registerPageCommands(page, navigation);
installSharing(page);
installAnswerMenu(page);
installApproval(page);
installTemporaryChats(page, navigation, data);
installDownloads(page);
attachMenu(/** @type {HTMLButtonElement} */ (byId("conversation-menu-button")), byId("conversation-menu"));
const settings = new ChatSettingsOfPage(page, data);
installLibrary(page, settings, () => navigation.newChat());
new QueueView(page, data);
installRetryMenu(page);
installPreferences();

listenForShortcuts({
  escape: () => closeDrawer() || page.writing.stopEditing() || page.stop(),
  newChat: () => navigation.newChat(),
  sidebar: () => page.sidebar.toggle(),
  compose: () => page.composer.focus(),
  copyLast: () => page.copyLast(),
  palette: () => togglePalette(page),
  shortcuts: showShortcuts,
});

listenForWaking(page.client.connection);

byId("starters").addEventListener("click", (event) => {
  const starter = /** @type {Element} */ (event.target).closest("button")?.dataset.text;
  if (!starter) return;
  page.composer.setText(starter);
  page.composer.focus();
});

if (matchMedia("(pointer: fine)").matches) page.composer.focus();

function closeDrawer() {
  const wasOpen = page.sidebar.isOpenDrawer;
  page.sidebar.close();
  return wasOpen;
}
