// What is asked before something ends: in words that say what.

import { h } from "../../vendor/preact.mjs";
import { texts } from "../texts.mjs";
import { useAction } from "./action.mjs";
import { Button } from "./button.mjs";
import { Dialog } from "./dialog.mjs";
import { Icon } from "./icon.mjs";
import { ProblemNote } from "./note.mjs";

/**
 * @param {{title: string, sub?: string, lines: string[], icons?: string[], submit: string,
 *   busyText?: string, keep?: string, harmless?: boolean, act: () => Promise<unknown>,
 *   onClose: () => void}} props
 *   `icons` has the sign of each line, `keep` is the button that changes nothing. `act` closes the dialog
 *   when it succeeds; what it throws is shown
 */
export function Confirm({ title, sub = "", lines, icons = [], submit, harmless = false, act, onClose, ...words }) {
  const { keep = texts.confirm.cancel, busyText = texts.confirm.busy } = words;
  const { busy, problem, run } = useAction();
  const foot = [
    h(Button, { onClick: onClose }, keep),
    h(Button, { kind: harmless ? "primary" : "danger", busy, busyText, onClick: () => void run(act) }, submit),
  ];
  return h(
    Dialog,
    { title, sub, small: true, alert: true, busy, onClose, foot },
    h(
      "ul",
      { class: "ticks" },
      lines.map((line, at) => h("li", { key: line }, h(Icon, { name: icons[at] ?? "info" }), h("span", null, line))),
    ),
    problem && h("div", { class: "gap-t" }, h(ProblemNote, { problem })),
  );
}
