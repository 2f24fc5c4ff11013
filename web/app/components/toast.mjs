// What was done and needs no answer. It goes after 8 seconds, but not while it has the focus, and
// with a change of view.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { Icon } from "./icon.mjs";

const SHOWN_FOR = 8000;

/** @type {(text: string) => void} */
let show = () => {};

/** @param {string} text */
export const toast = (text) => show(text);

/** The place of toasts. It is there before they are, so that they are announced. */
export function Toasts() {
  const [shown, setShown] = useState(/** @type {{text: string, at: number} | null} */ (null));
  const [held, setHeld] = useState(false);
  useEffect(() => {
    show = (text) => setShown({ text, at: Date.now() });
    // It goes with the view that it is about, but not when it came with the change.
    addEventListener("hashchange", () => setShown((it) => (it && Date.now() - it.at < 1000 ? it : null)));
  }, []);
  useEffect(() => {
    if (!shown || held) return undefined;
    const timer = setTimeout(() => setShown(null), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [shown, held]);
  const hide = () => {
    setHeld(false);
    setShown(null);
  };
  return h(
    "div",
    { class: "toasts", role: "status" },
    shown &&
      h(
        "div",
        { class: "toast", onFocusIn: () => setHeld(true), onFocusOut: () => setHeld(false) },
        h("p", null, shown.text),
        h("button", { type: "button", "aria-label": texts.dismiss, onClick: hide }, h(Icon, { name: "x" })),
      ),
  );
}
