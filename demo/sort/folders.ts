/** The folders of a path, without the file. */
const foldersOf = (path: string): string[] => path.split('/').slice(0, -1);

/** A path's last part. */
export const baseName = (path: string): string => path.split('/').at(-1) ?? path;

/**
 * What the folders of files say of their classes: the first folder below those that all files have in common, by path. Files beside the folders have
 * none. Undefined where there are not two such folders.
 */
export function folderClasses(paths: string[]): Map<string, string> | undefined {
  const folders = paths.map(foldersOf);
  const [first = []] = folders;
  const differ = first.findIndex((name, i) => folders.some((own) => own[i] !== name));
  const depth = differ < 0 ? first.length : differ;
  const classes = new Map<string, string>();
  for (const [i, path] of paths.entries()) {
    const name = folders[i][depth];
    if (name !== undefined) classes.set(path, name);
  }
  return new Set(classes.values()).size > 1 ? classes : undefined;
}

/** A class's name as a folder that every system takes. */
export function folderName(label: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what Windows refuses
  const safe = label.replace(/[<>:"/\\|?*\u0000-\u001f]/g, '_').replace(/^[. ]+|[. ]+$/g, '');
  return safe === '' || /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(safe) ? `_${safe}` : safe;
}

/** A file name that is not among `taken`, whatever the case: “bill (2).pdf”. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const [, stem, extension] = /^(.+?)(\.[^.]*)?$/.exec(name) ?? ['', name, ''];
  for (let i = 1; ; i++) {
    const tried = i === 1 ? name : `${stem} (${i})${extension ?? ''}`;
    if (!taken.has(tried.toLowerCase())) return tried;
  }
}
