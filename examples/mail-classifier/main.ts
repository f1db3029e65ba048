import { type LabelScore, loadModel } from 'modernbert-webgpu';
import { type Classifier, type Example, loadClassifier, trainClassifier } from 'modernbert-webgpu/classifier';
import { describeProgress } from 'modernbert-webgpu/progress';
import samples from './samples.json';

interface Mail {
  text: string;
  /** The class that the user gave it. */
  label?: string;
  /** What the classifier says; of an example only if it would say something else. */
  guess?: LabelScore;
}

const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const controls = find<HTMLFieldSetElement>('controls');
const classes = find<HTMLInputElement>('classes');
const texts = find<HTMLTextAreaElement>('texts');
const progress = find<HTMLProgressElement>('progress');
const file = find<HTMLInputElement>('file');

const model = loadModel('sentence-transformers/all-MiniLM-L6-v2', {
  onProgress: describeProgress(({ text, loaded, total }) => say(`Loading: ${text}`, loaded, total)),
});
let mails: Mail[] = [];
let classifier: Classifier | undefined;

const classNames = () => [...new Set(classes.value.split(',').map((name) => name.trim()))].filter(Boolean);
const percent = (share = 0) => `${Math.round(share * 100)}%`;

function say(text: string, done?: number, total = 1) {
  find('status').textContent = text;
  progress.hidden = done === undefined;
  progress.value = (done ?? 0) / total;
}

/** Does one thing at a time, and says what came of it. */
async function run(action: () => Promise<string>) {
  controls.disabled = true;
  say(await action().catch((error: Error) => error.message));
  controls.disabled = false;
  show();
}

const show = () => find('mails').replaceChildren(...mails.map(cardOf));

function cardOf(mail: Mail, i: number) {
  const card = document.createElement('fieldset');
  card.append(Object.assign(document.createElement('legend'), { textContent: mail.text }));
  for (const name of classNames()) {
    const onchange = () => {
      mail.label = name;
    };
    const checked = mail.label === name;
    const radio = Object.assign(document.createElement('input'), {
      type: 'radio',
      name: `mail${i}`,
      checked,
      onchange,
    });
    const label = document.createElement('label');
    const score = mail.guess?.label === name ? mail.guess.score : undefined;
    label.append(radio, score === undefined ? name : `${name}? ${percent(score)}`);
    label.classList.toggle('guess', score !== undefined);
    card.append(label);
  }
  return card;
}

/** Asks the classifier about the mails that have no class. */
async function guess() {
  const open = mails.filter(({ label }) => !label);
  const found = await classifier?.classify(
    open.map(({ text }) => text),
    { topK: 1, truncate: true },
  );
  for (const [i, mail] of open.entries()) mail.guess = found?.[i][0];
}

async function add(more: Mail[]) {
  mails = [...more.filter(({ text }) => text), ...mails];
  await guess();
  return `${mails.length} mails, ${mails.filter(({ label }) => label).length} with a class`;
}

async function train() {
  // Class by class, because a classifier keeps the order in which it meets them; the mails' own order changes below.
  const isOf =
    (name: string) =>
    (mail: Mail): mail is Mail & Example =>
      mail.label === name;
  const examples = classNames().flatMap((name) => mails.filter(isOf(name)));
  const onProgress = ({ done, total }: { done: number; total: number }) => say('Training', done, total);
  classifier = await trainClassifier(await model, examples, { truncate: true, onProgress });
  const { accuracy, tested, mistakes } = classifier.evaluation;
  for (const mail of mails) mail.guess = undefined;
  for (const { index, label, score } of mistakes) examples[index].guess = { label, score };
  await guess();
  // First what is worth a look: examples that look like another class, then what the classifier is least sure of.
  const rank = ({ label, guess }: Mail) => (guess ? (label ? 0 : guess.score) : 2);
  mails.sort((a, b) => rank(a) - rank(b));
  return `${percent(accuracy)} of ${tested} examples are right by cross-validation; ${mistakes.length} come first below`;
}

function samplesAsMails(): Mail[] {
  // A third has no class yet, for the classifier to find.
  const of = ([label, texts]: [string, string[]]) => texts.map((text, i) => (i < 10 ? { text, label } : { text }));
  return Object.entries(samples).flatMap(of);
}

/** The subject and the text of a mail file, if the text is plain. */
function readMail(source: string): Mail {
  const [head, ...body] = source.split(/\r?\n\r?\n/);
  const subject = /^subject: *(.*)/im.exec(head)?.[1];
  return { text: (subject ? [subject, ...body].join('\n\n') : source).trim() };
}

async function save() {
  if (!classifier) throw new Error('There is nothing to export: train first.');
  const href = URL.createObjectURL(new Blob([JSON.stringify(classifier)], { type: 'application/json' }));
  Object.assign(document.createElement('a'), { href, download: 'mail-classifier.json' }).click();
  return 'Exported';
}

async function load(text: string) {
  classifier = loadClassifier(await model, JSON.parse(text));
  classes.value = classifier.labels.join(', ');
  await guess();
  return `A classifier of ${classifier.labels.join(', ')}, with ${percent(classifier.evaluation.accuracy)} right`;
}

classes.onchange = show;
find('samples').onclick = () => run(() => add(samplesAsMails()));
find('train').onclick = () => run(train);
find('export').onclick = () => run(save);
find('import').onclick = () => file.click();
file.onchange = () => run(async () => load((await file.files?.[0].text()) ?? ''));
find('add').onclick = () =>
  run(async () => {
    const added = texts.value.split(/^---+$/m).map(readMail);
    texts.value = '';
    return add(added);
  });
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  const files = [...(event.dataTransfer?.files ?? [])];
  run(async () => add((await Promise.all(files.map((one) => one.text()))).map(readMail)));
};
run(() => model.then(() => 'Paste mails, or begin with the samples'));
