// A choice of one.

import { h } from "../../vendor/preact.mjs";
import { Icon } from "./icon.mjs";

/**
 * @param {{id: string, label: string, value: string, options: Record<string, string>, hint?: string,
 *   onChange: (value: string) => void}} props `options` has texts by their values
 */
export function Select({ id, label, value, options, hint, onChange }) {
  /** @param {Event} event */
  const changed = (event) => onChange(/** @type {HTMLSelectElement} */ (event.currentTarget).value);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h(
      "span",
      { class: "sel" },
      h(
        "select",
        { class: "select", id, value, onChange: changed, "aria-describedby": hint && `${id}-hint` },
        Object.entries(options).map(([key, text]) => h("option", { key, value: key }, text)),
      ),
      h(Icon, { name: "down" }),
    ),
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}
