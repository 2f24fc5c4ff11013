// What is asked before something ends: in words that say what.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { Dialog } from "./dialog.mjs";
import { Icon } from "./icon.mjs";
import { ProblemNote } from "./note.mjs";

/**
 * @param {{title: string, sub?: string, lines: string[], submit: string, harmless?: boolean,
 *   act: () => Promise<unknown>, onClose: () => void}} props
 *   `act` closes the dialog when it succeeds; what it throws is shown
 */
export function Confirm({ title, sub = "", lines, submit, harmless = false, act, onClose }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const press = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      setBusy(false);
    }
  };
  const foot = [
    h(Button, { onClick: onClose }, texts.confirm.cancel),
    h(Button, { kind: harmless ? "primary" : "danger", busy, busyText: texts.confirm.busy, onClick: () => void press() }, submit),
  ];
  return h(
    Dialog,
    { title, sub, small: true, alert: true, busy, onClose, foot },
    h("ul", { class: "ticks" }, lines.map((line) => h("li", { key: line }, h(Icon, { name: "info" }), h("span", null, line)))),
    problem && h("div", { class: "gap-t" }, h(ProblemNote, { problem })),
  );
}
