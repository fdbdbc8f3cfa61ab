// The models as the items of a menu: what each is called and what it can do.

import { clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";

/**
 * @param {HTMLElement} menu
 * @param {ModelChoice[]} models
 * @param {string} chosen
 * @param {(slug: string) => void} act
 */
export function fillModelMenu(menu, models, chosen, act) {
  menu.replaceChildren(...models.map((model) => {
    const item = clone("model-item");
    setText(find(item, ".model-label"), model.label);
    setText(find(item, ".model-about"), aboutOf(model));
    find(item, ".model-about").hidden = aboutOf(model) === "";
    item.setAttribute("aria-checked", String(model.slug === chosen));
    item.addEventListener("click", () => act(model.slug));
    return item;
  }));
}

/** @param {ModelChoice} model @returns {string} what its admin says of it, else what it can do */
export function aboutOf({ description, images, tools, reasons }) {
  if (description) return description;
  const abilities = [
    reasons && gettext("Thinks first"),
    images && gettext("Sees images"),
    tools.length > 0 && gettext("Uses tools"),
  ];
  return abilities.filter(Boolean).join(" · ");
}
