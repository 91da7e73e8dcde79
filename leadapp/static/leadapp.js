// Sends the form, shows how far it is, keeps what was typed; works without it.
const find = (selector, page = document) => page.querySelector(selector);
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
let request;

const show = (words = "", share = 0) => {
  const [button, status, percent, row, bar, cancel] = document.querySelectorAll(".main, .main ~ *, .main ~ div > *");
  if (!words) request = null;
  button.setAttribute("aria-disabled", !!words);
  status.textContent = words;
  percent.textContent = words && ` ${Math.floor(share * 100)} %`;
  row.hidden = !words;
  bar.value = share;
  cancel.hidden = share === 1; // the firm may have it by now
};

const mark = (input, bad) => {
  input.setAttribute("aria-invalid", bad);
  input.closest(".field").classList.toggle("bad", bad);
};

// Say one thing first in the page, as the server does.
const tell = (notice, title = "") => {
  show();
  document.querySelectorAll("main > .notice, .error").forEach((old) => old.remove());
  document.querySelectorAll("[aria-invalid=true]").forEach((input) => mark(input, false));
  document.title = title + document.title.replace(/^Error: /, "");
  find("main").prepend(notice);
  notice.focus();
};

const say = (kind, textContent) => tell(make("p", { className: `notice ${kind}`, tabIndex: -1, textContent }));

const wrongFile = ({ accept, files: [file] }, limit) =>
  file &&
  ((!accept.split(",").includes(file.name.toLowerCase().replace(/.*\./, ".")) && "resume_type") ||
    (!file.size && "resume_empty") ||
    (file.size > limit && "resume_too_large"));

const wrong = ({ name, value, validity }) => `${name}_${value.trim() ? validity.typeMismatch && "format" : "missing"}`;

const sayErrors = (form, words, code) => {
  const summary = find("template", form).content.firstElementChild.cloneNode(true);
  tell(summary, "Error: ");
  for (const input of form.elements) {
    const textContent = words[input === form.resume ? code : wrong(input)];
    if (!textContent) continue;
    const id = `${input.id}-error`;
    summary.lastElementChild.appendChild(make("li")).append(make("a", { href: `#${input.id}`, textContent }));
    input.before(make("p", { className: "error", id, textContent }));
    input.setAttribute("aria-describedby", `${(input.getAttribute("aria-describedby") ?? "").replace(id, "")} ${id}`);
    mark(input, true);
  }
};

const answer = (words) => {
  if (request.status < 400) return location.assign(request.responseURL);
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  // Another page would take what was typed away.
  if (!find("main form", page)) return say("wrong", find("main .intro", page)?.textContent ?? words.connection_lost);
  request = null;
  const first = find("[autofocus]", page);
  first.autofocus = false; // works but once
  document.title = page.title;
  find("main").replaceWith(find("main", page));
  first.focus();
};

addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.resume) return;
  event.preventDefault();
  if (request) return;
  const words = JSON.parse(form.dataset.words);
  const code = wrongFile(form.resume, form.dataset.limit);
  if (code) return sayErrors(form, words, code); // all else the server checks
  const go = (share) => {
    request.timeout = performance.now() - event.timeStamp + 60_000; // from the last progress
    show(words.sending, share);
  };
  history.replaceState(form.form_id.value, "");
  request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.onprogress = ({ loaded, total }) => go(loaded / total);
  request.onload = () => answer(words);
  request.onerror = request.ontimeout = () => say("wrong", words.connection_lost);
  request.onabort = () => say("waiting", words.cancelled);
  go(0);
  request.send(new FormData(form));
});
addEventListener("click", ({ target }) => target.type === "button" && request?.abort());
addEventListener("pageshow", () => show());
if (history.state) find("[name=form_id]").value = history.state; // after Back: the same sending
