/** Changes of a text field that its user can take back, with the browser's own undo and with a button. */
export interface Editor {
  /** Puts `text` in place of the selection. */
  insert(text: string): void;
  /** Puts `token` in place of a part, one space before it where there was one. */
  replace(start: number, end: number, token: string): void;
  /** Another text altogether. */
  set(text: string): void;
}

/** `undo` takes back the changes made here, and is hidden while there are none or the user typed since. */
export function createEditor(field: HTMLTextAreaElement, undo: HTMLButtonElement): Editor {
  const before: string[] = [];
  let isOwn = false;

  function change(start: number, end: number, text: string) {
    isOwn = true;
    field.focus();
    field.setSelectionRange(start, end);
    // Deprecated, but nothing else keeps the field's own undo history; false where a browser does not have it.
    if (!document.execCommand(text ? 'insertText' : 'delete', false, text)) {
      field.setRangeText(text, start, end, 'end');
      field.dispatchEvent(new Event('input'));
    }
    isOwn = false;
    undo.hidden = before.length === 0;
  }

  function remembered(start: number, end: number, text: string) {
    before.push(field.value);
    change(start, end, text);
  }

  undo.addEventListener('click', () => change(0, field.value.length, before.pop() ?? field.value));
  field.addEventListener('input', () => {
    if (isOwn) return;
    before.length = 0;
    undo.hidden = true;
  });

  return {
    insert: (text) => remembered(field.selectionStart, field.selectionEnd, text),
    set: (text) => remembered(0, field.value.length, text),
    replace(start, end, token) {
      const hasSpace = /(^|\s)$/.test(field.value.slice(0, start));
      remembered(start, end, hasSpace ? token.trimStart() : token);
    },
  };
}
