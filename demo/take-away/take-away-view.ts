// What the buttons of take-away.ts open.
import { element, showError } from '../dom';
import { count } from '../numbers';
import type { TabState } from '../tab-state';
import { saveFile } from './save-file';
import type { Exported, Snippets } from './take-away';

/** Longer addresses are cut by programs that pass them on. */
const LONGEST_LINK = 8000;

/** A button that copies, and what it says when it has. */
function copyButton(text: () => string, what: string): HTMLElement[] {
  const said = element('span', { className: 'count', role: 'status' });
  const button = element('button', { type: 'button', ariaLabel: `Copy ${what}` }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      said.textContent = 'Copied.';
    } catch {
      said.textContent = 'The browser did not allow copying. Select it and copy by hand.';
    }
  });
  return [button, said];
}

export function codePart({ typescript, shell }: Snippets): HTMLElement[] {
  const part = (title: string, text: string) =>
    element(
      'section',
      {},
      element('div', { className: 'row' }, element('h3', {}, title), ...copyButton(() => text, title)),
      element('pre', { className: 'snippet', tabIndex: 0, ariaLabel: title }, element('code', {}, text.trimEnd())),
    );
  return [part('TypeScript', typescript), ...(shell ? [part('Command line', shell)] : [])];
}

/** `texts`: keys of the state that hold what the user wrote. */
export function linkPart(state: TabState, texts: string[]): HTMLElement[] {
  const field = element('input', { type: 'text', readOnly: true, ariaLabel: 'Link' });
  const withTexts = element('input', { type: 'checkbox' });
  const error = element('p', { className: 'error', role: 'alert', hidden: true });
  const hasTexts = texts.some((key) => state.get(key) !== undefined);
  const choice = element('label', { className: 'choice', hidden: !hasTexts }, withTexts, 'With what I wrote');
  const copied = () => {
    update();
    return field.value;
  };
  const row = element('div', { className: 'row link-row' }, field, ...copyButton(copied, 'the link'));

  function update() {
    const link = state.link(withTexts.checked ? texts : []);
    const isLong = link.length > LONGEST_LINK;
    showError(
      error,
      isLong
        ? `With your texts the link has ${count(link.length)} characters; programs pass on up to ${count(LONGEST_LINK)}. Export them instead.`
        : undefined,
    );
    if (isLong) withTexts.checked = false;
    field.value = isLong ? state.link([]) : link;
  }
  withTexts.addEventListener('change', update);
  field.addEventListener('focus', () => {
    update(); // something may have been chosen since it was opened
    field.select();
  });
  update();
  return [row, choice, error];
}

export function exportPart(exports: Exported[]): HTMLElement[] {
  if (exports.length === 0) return [element('p', { className: 'count' }, 'There is no result yet.')];
  const error = element('p', { className: 'error', role: 'alert', hidden: true });
  const buttons = exports.map(({ label, name, make }) => {
    const button = element('button', { type: 'button', title: name }, label);
    let isMaking = false; // not disabled meanwhile: that would take the focus away
    button.addEventListener('click', async () => {
      if (isMaking) return;
      isMaking = true;
      showError(error, undefined);
      try {
        saveFile(name, await make());
      } catch (reason) {
        showError(error, reason);
      }
      isMaking = false;
    });
    return button;
  });
  return [element('div', { className: 'row' }, ...buttons), error];
}
