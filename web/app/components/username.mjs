// Tells password managers whose password a form is about. Nobody sees it.

import { h } from "../../vendor/preact.mjs";
import { current } from "../session.mjs";

export function Username() {
  const value = current().account?.username ?? "";
  return h("input", { type: "text", autocomplete: "username", value, readOnly: true, hidden: true });
}
