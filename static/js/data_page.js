// The entry of the account page about the user's own data.

import { installDeletions } from "./deletions.js";
import { ImportForm } from "./import_form.js";
import { SharedLinks } from "./shared_links.js";

new ImportForm();
new SharedLinks();
installDeletions();
