// How long it is until something is tried again.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";

/** The seconds until the next attempt. @param {{until: number}} props */
export function Countdown({ until }) {
  const [, setTicks] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTicks((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, []);
  return h("span", null, texts.upload.again(Math.max(1, Math.ceil((until - Date.now()) / 1000))));
}
