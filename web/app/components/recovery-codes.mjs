// Recovery codes, which are shown once: whoever leaves is asked before.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { CopyButton } from "./button.mjs";
import { Confirm } from "./confirm.mjs";

/** @param {{codes: string[]}} props */
export function RecoveryCodes({ codes }) {
  const words = texts.secondFactor;
  const [leaving, setLeaving] = useState("");
  useEffect(() => {
    const stay = (/** @type {Event} */ event) => event.preventDefault();
    const ask = (/** @type {MouseEvent} */ event) => {
      const link = event.target instanceof Element && event.target.closest("a[href^='#/']");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      setLeaving(link.getAttribute("href") ?? "");
    };
    addEventListener("beforeunload", stay);
    addEventListener("click", ask);
    return () => {
      removeEventListener("beforeunload", stay);
      removeEventListener("click", ask);
    };
  }, []);
  return [
    h("ul", { class: "codes" }, codes.map((code) => h("li", { key: code }, code))),
    h("div", { class: "acts" }, h(CopyButton, { text: codes.join("\n"), kind: "btn btn-s secondary" }, words.copyCodes)),
    leaving && h(Confirm, { ...words.leave, act: async () => void (location.hash = leaving), onClose: () => setLeaving("") }),
  ];
}
