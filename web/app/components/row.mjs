// A row of a table that opens to details, and the facts that stand there.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Icon } from "./icon.mjs";

/**
 * @typedef {import("preact").ComponentChildren} Children
 * @typedef {[string, Children] | false | null | undefined | ""} Fact its name and what it is, where it is known
 */

/**
 * @param {{id: string, label: string, columns: number, cells: (toggle: Children) => Children,
 *   children?: Children}} props
 *   `cells` places the button that opens the row, which `label` names; `children` are the details
 */
export function OpenRow({ id, label, columns, cells, children }) {
  const [open, setOpen] = useState(false);
  const more = `more-${id}`;
  const toggle = h(
    "button",
    {
      class: "tw",
      type: "button",
      "aria-expanded": String(open),
      "aria-controls": more,
      "aria-label": label,
      onClick: () => setOpen(!open),
    },
    h(Icon, { name: "right" }),
  );
  return [
    h("tr", { role: "row", class: open ? "open" : "" }, cells(toggle)),
    h(
      "tr",
      { role: "row", class: "more", id: more, hidden: !open },
      open && h("td", { role: "cell", colSpan: columns }, children),
    ),
  ];
}

/** @param {{facts: Fact[]}} props */
export function Facts({ facts }) {
  return h(
    "dl",
    { class: "facts" },
    facts.map((fact) => fact && [h("dt", null, fact[0]), h("dd", null, fact[1])]),
  );
}
