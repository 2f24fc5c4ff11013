// A table whose rows become blocks on narrow screens.

import { h } from "../../vendor/preact.mjs";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * @param {{caption: string, columns: (string | import("preact").VNode)[], action: string, children?: Children}} props
 *   a column is its name, or its own `Head`; `action` is the last column's header, which is heard only
 */
export function Table({ caption, columns, action, children }) {
  return h(
    "table",
    { class: "t", role: "table" },
    h("caption", { class: "vh" }, caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        columns.map((column) => (typeof column === "string" ? h(Head, null, column) : column)),
        h(Head, { kind: "act" }, h("span", { class: "vh" }, action)),
      ),
    ),
    h("tbody", { role: "rowgroup" }, children),
  );
}

/**
 * The header of a column.
 * @param {{kind?: string, sorted?: "ascending" | "descending", children?: Children}} props
 *   `kind` has its classes; `sorted` is the order of the rows, when they are in that of this column
 */
export function Head({ kind = "", sorted, children }) {
  return h("th", { role: "columnheader", scope: "col", class: kind, "aria-sort": sorted }, children);
}

/**
 * Who somebody is: the name, and the address below.
 * @param {{username: string, email: string, aside?: string, children?: Children}} props
 */
export function Person({ username, email, aside = "", children }) {
  return h(
    "div",
    null,
    h("bdi", { class: "name" }, username),
    aside && h("span", { class: "muted" }, ` ${aside}`),
    h("span", { class: "sub any" }, h("bdi", null, email)),
    children && h("span", { class: "meta sm" }, children),
  );
}
