// A table whose rows become blocks on narrow screens.

import { h } from "../../vendor/preact.mjs";

/**
 * @param {{caption: string, columns: string[], action: string, children?: import("preact").ComponentChildren}} props
 *   `action` is the last column's header, which is heard only
 */
export function Table({ caption, columns, action, children }) {
  const head = { role: "columnheader", scope: "col" };
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
        columns.map((name) => h("th", { key: name, ...head }, name)),
        h("th", { ...head, class: "act" }, h("span", { class: "vh" }, action)),
      ),
    ),
    h("tbody", { role: "rowgroup" }, children),
  );
}

/**
 * Who somebody is: the name, and the address below.
 * @param {{username: string, email: string, aside?: string, children?: import("preact").ComponentChildren}} props
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
