// Looking for something in a list, by what is typed and by other choices. The address of the view says
// it too, so that a reload and the way back find the same.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useLayoutEffect, useState } from "../../vendor/preact-hooks.mjs";
import { rewrite } from "../router.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { Icon } from "./icon.mjs";
import { Empty } from "./list.mjs";

/** The milliseconds without a letter typed after which a search begins. */
const TYPED = 250;

/**
 * The state of a search: what is typed, and what is looked for, which is as the address and the list
 * take it. It follows the typing after a moment, and the other choices at once.
 * @param {string} path of the view
 * @param {URLSearchParams} query of its address
 * @param {Record<string, string>} [choices] besides the text; always the same ones
 */
export function useSearch(path, query, choices = {}) {
  const [typed, setTyped] = useState(query.get("q") ?? "");
  const [q, setQ] = useState(typed);
  const sought = { q, ...choices };
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), TYPED);
    return () => clearTimeout(timer);
  }, [typed]);
  // At once: later, it could undo a way to another view.
  useLayoutEffect(() => rewrite(path, sought), Object.values(sought));
  const clear = () => {
    setTyped("");
    document.getElementById("q")?.focus(); // the button that is pressed goes
  };
  return { typed, setTyped, clear, sought };
}

/**
 * The box to type in, `children` with the other choices, and how much was found.
 * @param {{search: ReturnType<typeof useSearch>, label: string, hint: string, count: string | false,
 *   children?: import("preact").ComponentChildren}} props
 */
export function Search({ search, label, hint, count, children }) {
  /** @param {InputEvent} event */
  const onInput = (event) => search.setTyped(/** @type {HTMLInputElement} */ (event.currentTarget).value);
  return h(
    "div",
    { class: "tools", role: "search" },
    h(
      "div",
      { class: "search" },
      h("label", { class: "vh", for: "q" }, label),
      h(Icon, { name: "search" }),
      h("input", {
        class: "input",
        id: "q",
        type: "search",
        placeholder: hint,
        autocomplete: "off",
        maxLength: 100,
        value: search.typed,
        onInput,
      }),
    ),
    children,
    h("p", { class: "count", role: "status" }, count),
  );
}

/** In place of a list of files in which no name matches. @param {{search: ReturnType<typeof useSearch>}} props */
export function NoneFound({ search }) {
  const words = texts.files;
  const clear = h(Button, { onClick: search.clear }, words.clear);
  return h(Empty, { title: words.noneFoundTitle(search.sought.q), text: words.noneFound }, clear);
}
