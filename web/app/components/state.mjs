// What state something is in.

import { h } from "../../vendor/preact.mjs";
import { Icon } from "./icon.mjs";

/**
 * @param {{sign: string[], children?: import("preact").ComponentChildren}} props
 *   `sign` has the name of an icon and a class
 */
export function State({ sign: [icon = "", kind = ""], children }) {
  return h("span", { class: `state ${kind}` }, h(Icon, { name: icon }), children);
}

/** What is said about the state of a link. */
export const LINK_SIGNS = {
  live: ["dot", "state-live"],
  used: ["ok", ""],
  expired: ["clock", "state-off"],
  revoked: ["slash", "state-off"],
};
