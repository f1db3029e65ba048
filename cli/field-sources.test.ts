import { expect, it } from 'vitest';
import { fieldSources } from './field-sources';

it('gives values as they are written', () => {
  const sources = {
    big: '12345678901234567890',
    one: '1.0',
    huge: '1e400',
    tiny: '-0',
    plus: '1E+05',
    text: String.raw`"a\u0041\"}],\\"`,
    nested: '{ "big": 12345678901234567890, "list": [1.0, {"}": "]"}] }',
    none: 'null',
  };
  const json = `{ ${Object.entries(sources)
    .map(([name, source]) => `"${name}" :\t${source} `)
    .join(',')}}  `;
  expect(Object.fromEntries(fieldSources(json))).toEqual(sources);
});

it('of fields of one name the last counts; names are unescaped', () => {
  expect([...fieldSources(String.raw`{"a":1,"b":2,"\u0061":[3],"__proto__":4,"":5}`)]).toEqual([
    ['a', '[3]'],
    ['b', '2'],
    ['__proto__', '4'],
    ['', '5'],
  ]);
  expect(fieldSources(' {} ').size).toBe(0);
  expect(fieldSources('{"a":{\r"b":1}}').get('a')).toBe('{ "b":1}');
});

it('agrees with JSON.parse on random objects', () => {
  let state = 11;
  const random = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const pick = (list: string[]) => list[random(list.length)];
  const space = () => pick(['', '', ' ', '\t', ' \r ']);
  const string = () => {
    const parts = Array.from({ length: random(5) }, () =>
      pick([
        'a',
        String.raw`\"`,
        String.raw`\\`,
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        String.raw`\u0041`,
        String.raw`\n`,
        '鯨',
        '🐋',
      ]),
    );
    return `"${parts.join('')}"`;
  };
  const value = (depth: number): string => {
    const kind = random(depth > 3 ? 3 : 5);
    if (kind === 0) return pick(['0', '-0', '1.0', '1e400', '-2.5E-3', '9007199254740993']);
    if (kind === 1) return string();
    if (kind === 2) return pick(['true', 'false', 'null']);
    if (kind === 3) return object(depth + 1);
    return `[${Array.from({ length: random(4) }, () => space() + value(depth + 1) + space()).join(',')}]`;
  };
  const object = (depth: number): string =>
    `{${Array.from({ length: random(5) }, () => `${space()}${string()}${space()}:${space()}${value(depth)}${space()}`).join(',')}}`;
  for (let i = 0; i < 3000; i++) {
    const json = space() + object(0) + space();
    const parsed = JSON.parse(json);
    const fields = fieldSources(json);
    expect([...fields.keys()].sort(), json).toEqual(Object.keys(parsed).sort());
    for (const [name, source] of fields) expect(JSON.parse(source), json).toEqual(parsed[name]);
  }
});

it('says what is wrong with a text that is no object', () => {
  expect(() => fieldSources('{"a')).toThrow('the text at character 2 has no end');
  expect(() => fieldSources('{"a"}')).toThrow('no value follows the name at character 2');
  expect(() => fieldSources('{"a":[}')).toThrow();
});

it('takes a long text of quotes and backslashes in a moment', () => {
  const text = JSON.stringify({ a: '"\\'.repeat(1 << 20), b: 1 });
  expect(fieldSources(text).get('b')).toBe('1');
});
