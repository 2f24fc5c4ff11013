// A native dialog: it holds the focus and gives it back. Escape closes it, unless it is busy.

import { h } from "../../vendor/preact.mjs";
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { Icon } from "./icon.mjs";
import { focusHeading } from "./page.mjs";

/** @typedef {import("preact").ComponentChildren} Children */

/** What has the focus first, and where nothing may be done by mistake: there, what changes nothing. */
const FIRST = ".dlg-b :is(input:not([type=radio]:not(:checked)), button)";
const SAFE = ".dlg-f button";

/**
 * @param {{title: string, sub?: string, small?: boolean, alert?: boolean, busy?: boolean,
 *   onClose: () => void, foot?: Children, children?: Children}} props
 */
export function Dialog({ title, sub, small, alert, busy = false, onClose, foot, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // A layout effect, so that what comes after it, another dialog too, finds the focus where it was.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    /** @type {HTMLElement | null | undefined} */ (shown?.querySelector(alert ? SAFE : FIRST))?.focus();
    return () => {
      shown?.close(); // gives the focus back
      // What opened it can be gone.
      queueMicrotask(() => document.activeElement === document.body && focusHeading());
    };
  }, []);
  /** @param {Event} event */
  const onCancel = (event) => {
    event.preventDefault();
    if (!busy) onClose();
  };
  return h(
    "dialog",
    {
      class: `dlg ${small ? "dlg-s" : ""}`,
      role: alert ? "alertdialog" : undefined,
      "aria-labelledby": "dialog-title",
      ref: dialog,
      onCancel,
    },
    h(
      "div",
      { class: "dlg-h" },
      h("div", null, h("h2", { id: "dialog-title" }, title), sub && h("p", null, sub)),
      h(
        "button",
        { class: "btn btn-i plain", type: "button", "aria-label": texts.close, onClick: () => busy || onClose() },
        h(Icon, { name: "x" }),
      ),
    ),
    h("div", { class: "dlg-b" }, children),
    foot && h("div", { class: "dlg-f" }, foot),
  );
}
