/** What the pages share: the token of the local sign-in, kept in a variable, and the choice of language and colours. */

/** Gives tokens of a role; without one, those of a reader. */
export function tokensOf(role = "") {
  const address = `/session/token${role && `?role=${role}`}`;
  let token;
  return async ({ refresh }) => {
    if (!token || refresh) token = fetch(address, { method: "POST" }).then((answer) => (answer.ok ? answer.json() : {}));
    return (await token).token;
  };
}

export const getToken = tokensOf();

/** Have the page and its elements follow the two choices, which the other pages then have as well. */
export function followView(elements) {
  const choices = ["language", "theme"].map((id) => document.getElementById(id));
  const look = () => {
    const [language, theme] = choices.map((one) => one.value);
    document.documentElement.lang = language;
    document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
    document.documentElement.dataset.theme = theme;
    for (const element of elements) element.setAttribute("language", language);
    for (const one of choices) sessionStorage.setItem(one.id, one.value);
  };
  for (const one of choices) {
    one.value = sessionStorage.getItem(one.id) ?? one.value;
    one.addEventListener("change", look);
  }
  look();
}

/** Where the sample form shows a record. */
export function openForm({ recordType, recordId }) {
  location.assign(`/?${new URLSearchParams({ type: recordType, id: recordId })}`);
}
