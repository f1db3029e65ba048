import * as fake from 'fake-indexeddb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCollection } from './collection';
import { createStore, type Store } from './store';

beforeEach(() => {
  vi.stubGlobal('indexedDB', new fake.IDBFactory());
  for (const [name, value] of Object.entries(fake)) if (/^IDB[A-Z]/.test(name)) vi.stubGlobal(name, value);
});
afterEach(() => vi.unstubAllGlobals());

const document = (hash: string, ...names: string[]) => ({ hash, names, text: `text of ${hash}` });
function open(store: Store = createStore()) {
  const problems: unknown[] = [];
  let [changes, kept] = [0, 0];
  const collection = createCollection(store, {
    change: () => changes++,
    kept: () => kept++,
    problem: (error) => problems.push(error),
  });
  return { collection, problems, counts: () => ({ changes, kept }) };
}

it('keeps files, classes and labels for the next visit', async () => {
  const { collection, problems, counts } = open();
  collection.add([document('1', 'b10.txt'), document('2', 'b9.txt')]);
  collection.addClass(' bill ');
  collection.addClass('letter');
  collection.label(
    new Map([
      ['1', 'bill'],
      ['2', 'letter'],
    ]),
  );
  expect(counts().changes).toBe(4);
  await vi.waitFor(() => expect(counts().kept).toBe(4));

  const next = open().collection;
  await next.load();
  expect([...next.documents.values()].map(({ names }) => names[0])).toEqual(['b9.txt', 'b10.txt']);
  expect(next.documents.get('1')?.text).toBe('text of 1');
  expect(next.classes).toEqual(['bill', 'letter']);
  expect([...next.labels()]).toEqual([
    ['1', 'bill'],
    ['2', 'letter'],
  ]);
  next.remove('2');
  expect([...next.labels()]).toEqual([['1', 'bill']]);
  next.add([document('2', 'again.txt')]);
  expect(next.labels().get('2')).toBe('letter'); // labels go with the content
  next.forget();
  const last = open().collection;
  await vi.waitFor(async () => {
    await last.load();
    expect(last.documents.size + last.classes.length).toBe(0);
  });
  expect(problems).toEqual([]);
});

it('takes steps back', () => {
  const { collection } = open();
  collection.add([document('1', 'a'), document('2', 'b')]);
  for (const name of ['x', 'y']) collection.addClass(name);
  collection.label(new Map([['1', 'x']]));
  collection.label(
    new Map([
      ['1', 'y'],
      ['2', 'y'],
    ]),
  );
  collection.label(new Map([['1', 'y']])); // changes nothing: no step
  expect(collection.undo()).toEqual(['1', '2']);
  expect([...collection.labels()]).toEqual([['1', 'x']]);
  collection.renameClass('x', 'z');
  expect([...collection.labels()]).toEqual([['1', 'z']]);
  collection.label(new Map([['1', undefined]]));
  expect(collection.labels().size).toBe(0);
  collection.undo();
  expect([...collection.labels()]).toEqual([['1', 'z']]);
  collection.undo();
  expect(collection.labels().size).toBe(0);
  expect(collection.canUndo()).toBe(false);
  expect(collection.undo()).toBeUndefined();
});

it('refuses names that are empty, long or taken, and gives labels back with their class', () => {
  const { collection } = open();
  collection.add([document('1', 'a')]);
  collection.addClass('Bill');
  expect(() => collection.addClass('  ')).toThrow('Write a name');
  expect(() => collection.addClass('bill')).toThrow('There is a class Bill already.');
  expect(() => collection.addClass('x'.repeat(61))).toThrow(
    '61 characters; a class’s name has up to 60'.replace('’', "'"),
  );
  collection.addClass('letter');
  expect(() => collection.renameClass('letter', 'BILL')).toThrow('There is a class Bill already.');
  collection.renameClass('Bill', 'bill');
  expect(collection.classes).toEqual(['bill', 'letter']);
  collection.label(new Map([['1', 'bill']]));
  collection.removeClass('bill');
  expect(collection.labels().size).toBe(0);
  collection.addClass('bill');
  expect(collection.labels().get('1')).toBe('bill');
});

it('takes the names of folders as classes: in another case they are the same, and long ones are cut', () => {
  const { collection } = open();
  collection.addClass('bills');
  const long = `${'x'.repeat(59)}😀`;
  collection.addClasses(['Bills', 'a  "quoted",\nname ', long, 'BILLS', 'letters', 'Letters']);
  expect(collection.classes).toEqual(['bills', 'a "quoted", name', 'x'.repeat(59), 'letters']);
  expect(['Bills', long, 'LETTERS', 'other'].map((name) => collection.classNamed(name))).toEqual([
    'bills',
    'x'.repeat(59),
    'letters',
    undefined,
  ]);
  expect(() => collection.addClasses(['BILLS'])).not.toThrow();
});

it('works on where nothing can be kept, and says so', async () => {
  vi.stubGlobal('indexedDB', {
    open() {
      throw new DOMException('No storage here.', 'SecurityError');
    },
  });
  const { collection, problems } = open();
  await collection.load();
  collection.add([document('1', 'a')]);
  collection.addClass('x');
  collection.label(new Map([['1', 'x']]));
  expect(collection.labels().get('1')).toBe('x');
  await vi.waitFor(() => expect(problems).toHaveLength(4));
});

it('keeps the vectors of each space by themselves', async () => {
  const store = createStore();
  await store.putVectors(
    'a',
    new Map([
      ['1', Float32Array.of(1, 2)],
      ['2', Float32Array.of(3)],
    ]),
  );
  await store.putVectors('a/b', new Map([['1', Float32Array.of(9)]]));
  expect([...(await store.vectors('a'))]).toEqual([
    ['1', Float32Array.of(1, 2)],
    ['2', Float32Array.of(3)],
  ]);
  expect([...(await store.vectors('a/b'))]).toEqual([['1', Float32Array.of(9)]]);
  expect((await store.vectors('b')).size).toBe(0);
  await store.clear();
  expect((await store.vectors('a')).size).toBe(0);
});
