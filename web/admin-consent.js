/** Microsoft's consent page in a window of its own, and its answer on the way back. */

import { Refusal } from "./source.js";

let asked = new AbortController(); // ends the waiting for an answer to an earlier press

/**
 * Open the page and hand its answer to `returned`. The window is opened at once, as browsers allow it only while a press is being
 * handled, and sent there when the address is known. An answer is taken from that window alone; what it says is not believed
 * here either: the app checks the state that it gave, and then the connection itself.
 */
export function consentWindow(section, event, returned) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const opened = open("", "rapport-consent", "popup,width=640,height=760");
  section.act(
    event,
    async () => {
      if (!opened) throw new Refusal("invalid", section.text("give.blocked"), { status: 400 });
      const { url } = await section.tell("POST", ["consent", "link"]).catch((error) => (opened.close(), Promise.reject(error)));
      const take = ({ source, data }) => {
        if (source !== opened || !data?.rapportConsent) return;
        asked.abort();
        opened.close();
        section.act(null, () => returned(data.rapportConsent), { done: "give.taken" });
      };
      addEventListener("message", take, { signal });
      opened.location = httpOnly(url);
    },
    { done: "give.opened" },
  );
}

function httpOnly(url) {
  if (!/^https?:$/.test(new URL(url).protocol)) throw new Refusal("insecure");
  return url;
}

/** The answer that the consent page's own text asks to be sent, where no window could hand it over. Raises Refusal. */
export function sentByHand(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("invalid", "JSON", { status: 400 });
  }
}
