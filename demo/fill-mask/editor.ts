type Field = HTMLTextAreaElement | HTMLInputElement;

/** Changes of text fields that their user can take back, with the browser's own undo and with a button. */
export interface Editor {
  /** Puts `text` in place of the first field's selection, and the focus there. */
  insert(text: string): void;
  /** Puts `token` in place of a part of the first field, one space before it where there was one. */
  replace(start: number, end: number, token: string): void;
  /** Another text altogether in each field; undefined leaves a field as it is. `revert` is called when this is taken back. */
  set(texts: (string | undefined)[], revert?: () => void): void;
}

/** `undo` takes back the changes made here, and is hidden while there are none or the user typed since. */
export function createEditor(fields: Field[], undo: HTMLButtonElement): Editor {
  const before: { texts: string[]; revert?: () => void }[] = [];
  let isOwn = false;

  function change(field: Field, start: number, end: number, text: string) {
    if (field.value.slice(start, end) === text) return;
    isOwn = true;
    field.focus({ preventScroll: true });
    field.setSelectionRange(start, end);
    // Deprecated, but nothing else keeps the field's own undo history; false where a browser does not have it. It changes
    // what has the focus, which a hidden field cannot get.
    const isDone =
      document.activeElement === field && document.execCommand(text ? 'insertText' : 'delete', false, text);
    if (!isDone) {
      field.setRangeText(text, start, end, 'end');
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    isOwn = false;
  }

  /** The focus stays where it is, and the page does not scroll. */
  function inPlace(work: () => void) {
    const focused = document.activeElement;
    const { scrollX, scrollY } = window;
    for (const field of fields) field.inputMode = 'none'; // no keyboard of a phone for a change that nobody typed
    work();
    for (const field of fields) field.inputMode = '';
    undo.hidden = before.length === 0;
    if (focused === document.body) (document.activeElement as HTMLElement).blur();
    else if (focused instanceof HTMLElement && focused.checkVisibility()) focused.focus({ preventScroll: true });
    scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
  }

  const remember = (revert?: () => void) => before.push({ texts: fields.map(({ value }) => value), revert });
  const setAll = (texts: (string | undefined)[]) => {
    for (const [i, text] of texts.entries()) if (text !== undefined) change(fields[i], 0, fields[i].value.length, text);
  };

  undo.addEventListener('click', () => {
    const last = before.pop();
    if (!last) return;
    inPlace(() => setAll(last.texts));
    last.revert?.();
    if (undo.hidden) fields[0].focus();
  });
  for (const field of fields) {
    field.addEventListener('input', () => {
      if (isOwn) return;
      before.length = 0;
      undo.hidden = true;
    });
  }

  return {
    insert(text) {
      remember();
      change(fields[0], fields[0].selectionStart ?? 0, fields[0].selectionEnd ?? 0, text);
      undo.hidden = false;
      fields[0].focus();
    },
    replace(start, end, token) {
      remember();
      const hasSpace = /(^|\s)$/.test(fields[0].value.slice(0, start));
      inPlace(() => change(fields[0], start, end, hasSpace ? token.trimStart() : token));
    },
    set(texts, revert) {
      if (!revert && texts.every((text, i) => text === undefined || text === fields[i].value)) return;
      remember(revert);
      inPlace(() => setAll(texts));
    },
  };
}

/** A text with tokens in place of parts of it, which follow each other; one space before each where there was one. */
export const filledText = (text: string, fillings: { start: number; end: number; token: string }[]): string =>
  fillings.reduceRight((filled, { start, end, token }) => {
    const before = filled.slice(0, start);
    return before + (/(^|\s)$/.test(before) ? token.trimStart() : token) + filled.slice(end);
  }, text);
