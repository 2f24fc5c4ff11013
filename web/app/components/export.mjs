// A file with all that is held about an account.

import { h } from "../../vendor/preact.mjs";
import { save } from "../save.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";
import { useAction } from "./action.mjs";
import { Button } from "./button.mjs";
import { ProblemNote } from "./note.mjs";
import { toast } from "./toast.mjs";

/** @param {{path: string, username: string}} props */
export function ExportButton({ path, username }) {
  const words = texts.export;
  const { busy, problem, run } = useAction();
  const get = async () => {
    /** @type {{cut: string[]}} */
    const held = await callForJson("GET", path);
    save(new Blob([JSON.stringify(held, null, 2)], { type: "application/json" }), `${username}.json`);
    if (held.cut.length > 0) toast(words.cut);
  };
  return [
    h(Button, { kind: "btn-s secondary", icon: "download", busy, busyText: words.busy, onClick: () => void run(get) }, words.submit),
    problem && h(ProblemNote, { problem }),
  ];
}
