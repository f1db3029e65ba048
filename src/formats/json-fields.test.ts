import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { fieldsOf, type JsonFields } from './json-fields';

const config = (json?: unknown) => fieldsOf('config.json', json);

describe('fieldsOf', () => {
  it('says what is wrong with a value that is too deep to be shown', () => {
    const x = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
    const read = () => config({ x }).number('x');
    expect(read).toThrow(ModelFileError);
    expect(read).toThrow('x must be a number, it is a value that is nested very deeply.');
  });

  it('reads fields by their type', () => {
    const fields = config({ eps: 1e-5, size: 768, bias: false, name: '', prompts: { query: 'q: ' }, act: 'silu' });
    expect(fields.number('eps')).toBe(1e-5);
    expect(fields.integer('size', 1)).toBe(768);
    expect(fields.boolean('bias', true)).toBe(false);
    expect(fields.text('name')).toBe('');
    expect(fields.strings('prompts')).toEqual({ query: 'q: ' });
    expect(fields.oneOf('act', ['gelu', 'silu'], 'gelu')).toBe('silu');
    expect(fields.has('bias')).toBe(true);
  });

  it.each([
    ['null', config({ x: null })],
    ['missing', config({})],
    ['in a file that is not there', config()],
  ])('takes the fallback where a field is %s', (_, fields) => {
    expect(fields.number('x', 0.5)).toBe(0.5);
    expect(fields.integer('x', 3)).toBe(3);
    expect(fields.boolean('x', true)).toBe(true);
    expect(fields.text('x')).toBeUndefined();
    expect(fields.strings('x')).toEqual({});
    expect(fields.oneOf('x', ['gelu', 'silu'], 'gelu')).toBe('gelu');
    expect(fields.has('x')).toBe(false);
    expect(() => fields.number('x')).toThrow(ModelFileError);
    expect(() => fields.integer('x')).toThrow(/^config\.json: x must be a number, it is (null|missing)\.$/);
  });

  it.each<[unknown, (fields: JsonFields) => unknown, string]>([
    ['1', (fields) => fields.number('x'), 'x must be a number, it is "1".'],
    [Number.POSITIVE_INFINITY, (fields) => fields.number('x'), 'x must be a number, it is null.'],
    [0, (fields) => fields.integer('x'), 'x must be a positive integer, it is 0.'],
    [1e9, (fields) => fields.integer('x'), 'x must be a positive integer of at most 10000000, it is 1000000000.'],
    [65, (fields) => fields.integer('x', 1, 64), 'x must be a positive integer of at most 64, it is 65.'],
    [1.5, (fields) => fields.integer('x', 1), 'x must be a positive integer, it is 1.5.'],
    [1, (fields) => fields.boolean('x', true), 'x must be true or false, it is 1.'],
    [7, (fields) => fields.text('x'), 'x must be a string, it is 7.'],
    [{ a: 7 }, (fields) => fields.strings('x'), 'x must be an object of strings, it is {"a":7}.'],
    [['a'], (fields) => fields.strings('x'), 'x must be an object of strings, it is ["a"].'],
  ])('names file, field and value where the type is wrong: %j', (x, read, message) => {
    expect(() => read(config({ x }))).toThrow(new ModelFileError(`config.json: ${message}`));
  });

  it('names what is not supported, and cuts long values', () => {
    const fields = config({ act: 'quick_gelu', rope_scaling: { factor: 2 }, long: 'a'.repeat(1000) });
    expect(() => fields.oneOf('act', ['gelu', 'silu'], 'gelu')).toThrow(
      new UnsupportedModelError('config.json: act = "quick_gelu" is not supported; known are gelu, silu.'),
    );
    expect(fields.unsupported('rope_scaling', 'only unscaled RoPE is')).toEqual(
      new UnsupportedModelError('config.json: rope_scaling = {"factor":2} is not supported; only unscaled RoPE is.'),
    );
    expect(fields.unsupported('layers[3]', 'known is a', 'b').message).toContain('layers[3] = "b" is');
    expect(fields.wrong('long', 'short').message).toBe(`config.json: long must be short, it is "${'a'.repeat(99)}….`);
  });

  it.each([null, 'text', [{}]])('wants an object: %j', (json) => {
    expect(() => config(json)).toThrow(new ModelFileError('config.json does not hold a JSON object.'));
  });
});
