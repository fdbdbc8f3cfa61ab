// Runs before the page is drawn, so that a chosen theme never flashes.
(() => {
  const key = "preference:theme";
  const root = document.documentElement;

  /** @param {string | null} theme */
  function use(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  /** @returns {string | null} */
  function chosen() {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  /** @param {Event} event */
  function choose(event) {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || target.name !== "theme") return;
    use(target.value);
    try {
      localStorage.setItem(key, target.value);
    } catch {
      // The choice then lasts as long as the page.
    }
  }

  function mark() {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name="theme"]'));
    for (const input of inputs) input.checked = input.value === (chosen() ?? "system");
  }

  use(chosen());
  addEventListener("storage", (event) => { if (event.key === key) use(event.newValue); });
  addEventListener("change", choose);
  addEventListener("DOMContentLoaded", mark);
})();
