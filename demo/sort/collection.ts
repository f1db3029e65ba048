import type { Document, Saved, Store } from './store';

/** What the user has: files, names of classes and labels. Every change is kept on the device. */
export interface Collection {
  /** By hash, in the order of their first names. */
  readonly documents: ReadonlyMap<string, Document>;
  readonly classes: readonly string[];
  /** Labels of documents that there are and classes that there are, by hash. */
  labels(): Map<string, string>;
  /** Puts documents in; of those with a known hash the names are taken. */
  add(documents: Document[]): void;
  remove(hash: string): void;
  /** By hash; undefined takes a label away. One step for `undo`. */
  label(changes: ReadonlyMap<string, string | undefined>): void;
  /** Takes the last step of labels back. The hashes whose labels changed; undefined if there is no such step. */
  undo(): string[] | undefined;
  canUndo(): boolean;
  /** The class that a name, such as a folder's, stands for: in another case it is the same, and long ones are cut. */
  classNamed(name: string): string | undefined;
  /** Adds what of these names stands for no class yet. */
  addClasses(names: Iterable<string>): void;
  /** Throws an Error in words for a name that is empty or taken. Labels of a class of this name that was removed count again. */
  addClass(name: string): void;
  /** Labels get the new name, which is given back as it is kept. Throws as `addClass`. */
  renameClass(old: string, name: string): string;
  removeClass(name: string): void;
  /** Deletes everything, on the device too. */
  forget(): void;
  /** Reads what is kept: at first, and when another tab has changed it. Resolves also if nothing can be read. */
  load(): Promise<void>;
}

/** Most characters of a class's name. */
const LONGEST = 60;
const inOrder = new Intl.Collator('en', { numeric: true });

/** `onChange`: hears of every change. `onProblem`: hears why something could not be kept or read. */
export function createCollection(
  store: Store,
  on: { change(): void; kept(): void; problem(error: unknown): void },
): Collection {
  let documents = new Map<string, Document>();
  let classes: string[] = [];
  let labels = new Map<string, string>();
  /** What labels were before each step. */
  let steps: Map<string, string | undefined>[] = [];

  /** One after the other, so that the last change is what stays. */
  let writing = Promise.resolve();
  function keep(write: () => Promise<void>) {
    writing = writing.then(write).then(on.kept, on.problem);
    on.change();
  }

  const sorted = (list: Iterable<Document>) =>
    new Map([...list].sort((a, b) => inOrder.compare(a.names[0], b.names[0])).map((one) => [one.hash, one]));

  function setLabels(changes: ReadonlyMap<string, string | undefined>) {
    for (const [hash, label] of changes) {
      if (label === undefined) labels.delete(hash);
      else labels.set(hash, label);
    }
    keep(() => store.putLabels(changes));
  }

  const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const tidy = (name: string) => name.trim().replace(/\s+/g, ' ');
  /** Not within a character. */
  const cut = (name: string) =>
    tidy(name)
      .slice(0, LONGEST)
      .replace(/[\ud800-\udbff]$/, '')
      .trim() || '_';
  function checked(name: string, others: readonly string[]): string {
    const trimmed = tidy(name);
    if (trimmed === '') throw new Error('Write a name for the class.');
    if (trimmed.length > LONGEST) {
      throw new Error(`The name has ${trimmed.length} characters; a class's name has up to ${LONGEST}.`);
    }
    const taken = others.find((other) => isSame(other, trimmed));
    if (taken !== undefined) throw new Error(`There is a class ${taken} already.`);
    return trimmed;
  }

  const setClasses = (names: string[]) => {
    classes = names;
    keep(() => store.putClasses(names));
  };

  return {
    get documents() {
      return documents;
    },
    get classes() {
      return classes;
    },
    labels() {
      const known = new Set(classes);
      return new Map([...labels].filter(([hash, label]) => documents.has(hash) && known.has(label)));
    },
    add(added) {
      documents = sorted(new Map([...documents, ...added.map((one) => [one.hash, one] as const)]).values());
      keep(() => store.putDocuments(added));
    },
    remove(hash) {
      documents.delete(hash);
      keep(() => store.removeDocument(hash));
    },
    label(changes) {
      const real = new Map([...changes].filter(([hash, label]) => labels.get(hash) !== label));
      if (real.size === 0) return;
      steps.push(new Map(Array.from(real.keys(), (hash) => [hash, labels.get(hash)])));
      setLabels(real);
    },
    undo() {
      const step = steps.pop();
      if (!step) return undefined;
      setLabels(step);
      return [...step.keys()];
    },
    canUndo: () => steps.length > 0,
    classNamed: (name) => classes.find((other) => isSame(other, cut(name))),
    addClasses(names) {
      const all = [...classes];
      for (const name of names) if (!all.some((other) => isSame(other, cut(name)))) all.push(cut(name));
      if (all.length > classes.length) setClasses(all);
    },
    addClass(name) {
      setClasses([...classes, checked(name, classes)]);
    },
    renameClass(old, name) {
      const others = classes.filter((one) => one !== old);
      const renamed = checked(name, others);
      if (renamed === old) return renamed;
      const changes = new Map([...labels].filter(([, label]) => label === old).map(([hash]) => [hash, renamed]));
      const rename = (label: string | undefined) => (label === old ? renamed : label);
      steps = steps.map((step) => new Map([...step].map(([hash, label]) => [hash, rename(label)])));
      setClasses(classes.map((one) => (one === old ? renamed : one)));
      setLabels(changes);
      return renamed;
    },
    removeClass: (name) => setClasses(classes.filter((one) => one !== name)),
    forget() {
      documents = new Map();
      classes = [];
      labels = new Map();
      steps = [];
      keep(() => store.clear());
    },
    async load() {
      let saved: Saved | undefined;
      let before: Promise<void>;
      do {
        before = writing;
        saved = await before.then(store.read).catch((error) => void on.problem(error));
      } while (writing !== before); // something was written meanwhile
      if (!saved) return;
      documents = sorted(saved.documents);
      ({ classes, labels } = saved);
      on.change();
    },
  };
}
