// A session, as one recognizes it: by its device, its address, and when it was used.

import { h } from "../../vendor/preact.mjs";
import { deviceName } from "../format.mjs";
import { texts } from "../texts.mjs";
import { Time } from "./file.mjs";
import { Icon } from "./icon.mjs";

/**
 * @param {{session: import("../contract.d.ts").SessionSummary, children?: import("preact").ComponentChildren}} props
 *   `children` is the button that ends it
 */
export function Device({ session, children }) {
  const words = texts.account;
  const { current, device, address: from, created_at: created, last_used_at: used } = session;
  const icon = /iPhone|iPad|Android/.test(device) ? "phone" : "laptop";
  return h(
    "li",
    { class: "dev" },
    h(Icon, { name: icon }),
    h(
      "div",
      null,
      h("p", { class: "any" }, h("b", { title: device }, h("bdi", null, deviceName(device))), current && [" ", h("span", { class: "new" }, words.current)]),
      h(
        "p",
        { class: "meta small" },
        from && h("span", null, from),
        h("span", null, words.since, h(Time, { at: created })),
        !current && h("span", null, words.used, h(Time, { at: used })),
      ),
    ),
    children,
  );
}
