// Sends the form and keeps what was typed.
const find = (selector, root = document) => root.querySelector(selector);
const create = (tag, props) => Object.assign(document.createElement(tag), props);
const words = JSON.parse(find("[data-words]").dataset.words);
let current; // the running request

const showProgress = (text, share) => {
  const [status, bar] = [find("#sending"), find("progress")];
  find(".main").ariaDisabled = !!text;
  status.textContent = text;
  status.nextElementSibling.textContent = text && ` ${Math.floor(share * 100)} %`;
  bar.parentElement.hidden = !text;
  bar.value = share;
  bar.nextElementSibling.hidden = share === 1; // too late to cancel
};

const mark = (input, bad) => {
  input.ariaInvalid = bad;
  input.closest(".field").classList.toggle("bad", bad);
};

const stop = () => {
  current = null;
  showProgress("", 0);
};

// Shows one notice on top, as the server does.
const showNotice = (notice, title = "") => {
  stop();
  document.querySelectorAll("main > .notice, .error").forEach((old) => old.remove());
  document.querySelectorAll("[aria-invalid=true]").forEach((input) => mark(input, false));
  document.title = title + document.title.replace(/^Error: /, "");
  find("main").prepend(notice);
  notice.focus();
};

const say = (textContent, kind = "wrong") => showNotice(create("p", { className: `notice ${kind}`, tabIndex: -1, textContent }));

const fieldError = ({ name, value, validity }) =>
  value.trim() ? validity.typeMismatch && `${name}_format` : `${name}_missing`;

const showErrors = (form, fileError) => {
  const summary = find("template").content.firstElementChild.cloneNode(true);
  showNotice(summary, "Error: ");
  for (const input of form.elements) {
    const textContent = words[input === form.resume ? fileError : fieldError(input)];
    if (!textContent) continue;
    const id = `${input.id}-error`;
    const link = create("a", { href: `#${input.id}`, textContent });
    const described = input.getAttribute("aria-describedby") ?? "";
    summary.lastElementChild.appendChild(create("li")).append(link);
    input.before(create("p", { className: "error", id, textContent }));
    input.setAttribute("aria-describedby", `${described.replace(id, "")} ${id}`);
    mark(input, true);
  }
};

// Returns a file's error code, or copies the file into `body`. Browsers do not send a file
// that changes after its selection, as Android's cloud files do.
const readFile = async ({ accept, files: [file] }, limit, body) => {
  if (!file) return;
  const ending = file.name.toLowerCase().replace(/.*\./, ".");
  if (!accept.split(",").includes(ending)) return "resume_type";
  if (file.size > limit) return "resume_too_large";
  try {
    const bytes = await file.arrayBuffer(); // fails if it changed or is gone
    if (!bytes.byteLength) return "resume_empty";
    body.set("resume", new File([bytes], file.name, file));
  } catch {
    return "resume_changed";
  }
};

const replaceForm = (page) => {
  const first = find("[autofocus]", page);
  current = null;
  first.autofocus = false; // works only once
  document.title = page.title;
  find("main").replaceWith(find("main", page));
  first.focus();
};

// The message for a proxy's own page
const refusal = (status) => {
  if (status === 413) return words.sending_too_large;
  return status === 429 || status > 499 ? words.sending_unavailable : words.sending_refused;
};

const receive = ({ status, responseURL, responseText }) => {
  if (responseURL.includes("/submitted/")) return location.assign(responseURL);
  const page = new DOMParser().parseFromString(responseText, "text/html");
  if (find("[data-words]", page)) return replaceForm(page);
  say(find("main .intro", page)?.textContent ?? refusal(status).replace("{status}", status));
};

const send = (form, request, body) => {
  const start = performance.now();
  const go = (share) => {
    request.timeout = performance.now() - start + 60_000; // from the last progress
    showProgress(words.sending, share);
  };
  request.open("POST", form.action);
  request.upload.onprogress = ({ loaded, total }) => go(loaded / total);
  request.onload = () => receive(request);
  request.ontimeout = () => say(words.sending_timed_out);
  request.onerror = () => say(words.connection_lost);
  go(0);
  request.send(body);
};

addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.resume) return;
  event.preventDefault();
  if (current) return;
  const request = (current = new XMLHttpRequest());
  const body = new FormData(form);
  showProgress(words.sending, 0);
  const fileError = await readFile(form.resume, form.dataset.limit, body);
  if (request !== current) return; // cancelled
  if (fileError) return showErrors(form, fileError); // the server checks the rest
  history.replaceState(form.form_id.value, "");
  send(form, request, body);
});
addEventListener("click", ({ target }) => {
  if (target.type !== "button") return;
  current?.abort();
  say(words.cancelled, "waiting");
});
addEventListener("pageshow", stop);
if (history.state) find("[name=form_id]").value = history.state; // after Back
