// Labelled texts for sort.ts: what people might drop into the demo's tab Sort files, with the class each belongs to.
import { readdirSync, readFileSync } from 'node:fs';
import { SAMPLE } from '../../demo/sort/sample';

/** `labels`: of each text, an index of `classes`, which are named as a person would. */
export interface LabelledSet {
  name: string;
  classes: string[];
  texts: string[];
  labels: number[];
}

/** Characters of a text that are read, and texts per class. */
const [MOST, PER_CLASS] = [2000, 20];

/** Of texts by the name of their class; of many texts those at equal distances. */
function labelled(name: string, byClass: Record<string, string[]>): LabelledSet {
  const kept = Object.values(byClass).map((texts) => {
    const step = Math.max(1, texts.length / PER_CLASS);
    return texts.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step)).slice(0, PER_CLASS);
  });
  return {
    name,
    classes: Object.keys(byClass),
    texts: kept.flat().map((text) => text.slice(0, MOST)),
    labels: kept.flatMap((texts, c) => texts.map(() => c)),
  };
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

function sample(): LabelledSet {
  const kinds = [...new Set(SAMPLE.map(({ kind }) => kind))];
  const of = (kind: string) => SAMPLE.filter((file) => file.kind === kind).map(({ text }) => text);
  return labelled('the sample', Object.fromEntries(kinds.map((kind) => [kind, of(kind)])));
}

function heldOut(): LabelledSet[] {
  const { texts } = json('training/eval/held-out.json') as { texts: Record<string, string[]> };
  const classes = (names: Record<string, string>) =>
    Object.fromEntries(Object.entries(names).map(([name, domain]) => [name, texts[domain]]));
  return [
    labelled(
      'prose',
      classes({ speech: 'speeches', fiction: 'fiction', 'Bible commentary': 'commentary', scripture: 'scripture' }),
    ),
    labelled(
      'manuals',
      classes({
        JavaScript: 'javascript',
        'web server': 'servers',
        Erlang: 'erlang',
        Racket: 'racket',
        Rust: 'rust',
        database: 'sqlite',
      }),
    ),
  ];
}

/** Descriptions of Debian packages by their section, from what `apt-cache show` printed. */
function debian(file: string): LabelledSet[] {
  const found = new Map<string, string[]>();
  for (const record of readFileSync(file, 'utf8').split('\n\n')) {
    const [, section] = /^Section: (.*)/m.exec(record) ?? [];
    const [, title, text] = /^Description(?:-en)?: (.*)\n((?: .*\n?)+)/m.exec(record) ?? [];
    if (text) found.set(section, [...(found.get(section) ?? []), `${title}\n${text.replace(/^ \.?/gm, '')}`]);
  }
  const classes = (names: Record<string, string>) =>
    Object.fromEntries(Object.entries(names).map(([name, section]) => [name, found.get(section) ?? []]));
  return [
    labelled(
      'packages by topic',
      classes({
        games: 'games',
        sound: 'sound',
        science: 'science',
        mail: 'mail',
        graphics: 'graphics',
        fonts: 'fonts',
      }),
    ),
    labelled(
      'packages by language',
      classes({ Python: 'python', JavaScript: 'javascript', R: 'gnu-r', Ruby: 'ruby', Lisp: 'lisp' }),
    ),
    labelled(
      'packages by use',
      classes({ network: 'net', administration: 'admin', utility: 'utils', development: 'devel', text: 'text' }),
    ),
  ];
}

/** What lies beside the code of npm packages. */
function packageFiles(): LabelledSet {
  const folders = readdirSync('node_modules')
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(`node_modules/${name}`).map((own) => `${name}/${own}`) : name,
    )
    .filter((name) => !name.startsWith('.'));
  const paths = folders.flatMap((name) =>
    readdirSync(`node_modules/${name}`).map((file) => `node_modules/${name}/${file}`),
  );
  const texts = (name: RegExp) => {
    const files = paths.filter((path) => name.test(path)).sort();
    return [...new Set(files.map((file) => readFileSync(file, 'utf8').trim()).filter((text) => text.length > 200))];
  };
  return labelled('files of npm packages', {
    licence: texts(/\/LICEN[CS]E(\.md|\.txt)?$/i),
    changelog: texts(/\/(CHANGELOG|HISTORY)\.md$/i),
    'instructions for use': texts(/\/README\.md$/i),
  });
}

export const labelledSets = (packages: string): LabelledSet[] => [
  sample(),
  labelled('mails', json('examples/mail-classifier/samples.json')),
  ...heldOut(),
  ...debian(packages),
  packageFiles(),
];
