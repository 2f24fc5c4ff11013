// Says that the service cannot be reached, for as long as that is so.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { send } from "../api.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { Icon } from "./icon.mjs";

/** The milliseconds between two attempts. */
const NEXT_ATTEMPT = 10_000;

export function OfflineBar() {
  const [offline, setOffline] = useState(!navigator.onLine);
  const attempt = () => void send("GET", "").catch(() => {});
  useEffect(() => {
    const stop = new AbortController();
    const on = (/** @type {string} */ event, /** @type {() => void} */ act) => addEventListener(event, act, stop);
    on("offline", () => setOffline(true));
    on("unreached", () => setOffline(true));
    on("reached", () => setOffline(false));
    on("online", attempt);
    return () => stop.abort();
  }, []);
  useEffect(() => {
    if (!offline) return undefined;
    const timer = setInterval(attempt, NEXT_ATTEMPT);
    return () => clearInterval(timer);
  }, [offline]);
  const words = texts.errors;
  return h(
    "div",
    { role: "status" },
    offline &&
      h(
        "div",
        { class: "bar" },
        h(
          "div",
          { class: "wrap" },
          h(Icon, { name: "alert" }),
          h("p", null, h("b", null, `${words.offlineTitle}.`), ` ${words.offlineWhat}`),
          h(Button, { kind: "btn-s quiet", onClick: attempt }, texts.tryAgain),
        ),
      ),
  );
}
