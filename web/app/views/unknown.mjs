// An address that leads nowhere.

import { h } from "../../vendor/preact.mjs";
import { Page } from "../components/page.mjs";
import { texts } from "../texts.mjs";

export function View() {
  return h(Page, { title: texts.unknownPage.title, lead: texts.unknownPage.text });
}
