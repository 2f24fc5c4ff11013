// Recovery codes, which are shown once.

import { h } from "../../vendor/preact.mjs";
import { useEffect } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { CopyButton } from "./button.mjs";

/** @param {{codes: string[]}} props */
export function RecoveryCodes({ codes }) {
  useEffect(() => {
    const stay = (/** @type {Event} */ event) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, []);
  return [
    h("ul", { class: "codes" }, codes.map((code) => h("li", { key: code }, code))),
    h("div", { class: "acts" }, h(CopyButton, { text: codes.join("\n"), kind: "btn btn-s secondary" }, texts.secondFactor.copyCodes)),
  ];
}
