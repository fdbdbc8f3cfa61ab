// Which model answers next.

export class ModelPicker {
  #select;
  #fallback;

  /** @param {HTMLSelectElement} select @param {ModelChoice[]} models */
  constructor(select, models) {
    this.#select = select;
    this.#fallback = (models.find((model) => model.default) ?? models[0])?.slug ?? "";
    select.replaceChildren(...models.map(({ slug, label }) => new Option(label, slug)));
    select.disabled = models.length < 2;
    this.select(null);
  }

  /** @param {string | null} slug null, or one that is gone, means the default */
  select(slug) {
    const offered = [...this.#select.options].some((option) => option.value === slug);
    this.#select.value = offered && slug !== null ? slug : this.#fallback;
  }

  /** @returns {{model?: string}} */
  get choice() {
    return this.#select.value ? { model: this.#select.value } : {};
  }
}
