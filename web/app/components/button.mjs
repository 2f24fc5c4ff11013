// Buttons that keep their width and say what they do while they do it.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { Icon } from "./icon.mjs";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * @param {{kind?: string, icon?: string, busy?: boolean, busyText?: string, type?: "button" | "submit",
 *   form?: string, onClick?: () => void, children?: Children}} props
 *   `kind` has classes such as `primary btn-l`
 */
export function Button({ kind = "secondary", icon, busy = false, busyText, type = "button", ...rest }) {
  const { form, onClick, children } = rest;
  return h(
    "button",
    {
      class: `btn ${kind}`,
      type,
      form,
      onClick: busy ? undefined : onClick,
      "aria-busy": busy ? "true" : undefined,
      "aria-disabled": busy ? "true" : undefined,
    },
    busy ? h(Icon, { name: "retry" }) : icon && h(Icon, { name: icon }),
    busy ? busyText : children,
  );
}

/**
 * Puts a text on the clipboard, and says that it is there.
 * @param {{text: string, kind?: string, onCopied?: () => void, children?: Children}} props
 */
export function CopyButton({ text, kind = "copy", onCopied, children }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    onCopied?.();
  };
  return [
    h(
      "button",
      { class: kind, type: "button", onClick: copy },
      h(Icon, { name: copied ? "ok" : "copy" }),
      copied ? texts.copied : children,
    ),
    h("span", { class: "vh", role: "status" }, copied && texts.copied),
  ];
}
