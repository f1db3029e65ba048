import { describe, expect, it } from 'vitest';
import * as exported from '../api/errors';
import * as browser from '../index';
import * as node from '../node';
import { fromWireError, toWireError } from './wire-error';

/** The library's own, whatever is added to them. */
const own = Object.values(exported).filter(
  (value): value is typeof exported.ModelFileError => value.prototype instanceof Error,
);

const across = (thrown: unknown) => fromWireError(structuredClone(toWireError(thrown)));

describe('errors across the worker boundary', () => {
  it.each([...own, RangeError, TypeError, SyntaxError, Error])('%o keeps class, name, message and stack', (Class) => {
    const thrown = new Class('9000 tokens, the limit is 8192');
    const revived = across(thrown);
    expect(revived.constructor).toBe(Class);
    expect(revived).toMatchObject({ name: thrown.name, message: thrown.message, stack: thrown.stack });
  });

  it.each(own)('%o can be imported from both entries', (Class) => {
    expect(browser).toHaveProperty(Class.name, Class);
    expect(node).toHaveProperty(Class.name, Class);
  });

  it('keeps a DOMException with its name', () => {
    const revived = across(new DOMException('stopped', 'AbortError'));
    expect(revived).toBeInstanceOf(DOMException);
    expect(revived).toMatchObject({ name: 'AbortError', message: 'stopped' });
  });

  it('keeps the chain of causes', () => {
    const revived = across(new exported.ModelFileError('outer', { cause: new RangeError('inner') }));
    expect(revived.cause).toBeInstanceOf(RangeError);
    expect(revived.cause).toMatchObject({ message: 'inner' });
  });

  it('keeps the name of an unknown class', () => {
    class QuotaError extends Error {
      override name = 'QuotaError';
    }
    expect(across(new QuotaError('full'))).toMatchObject({ name: 'QuotaError', message: 'full' });
  });

  it('turns anything but an Error into an Error', () => {
    expect(across('just text')).toMatchObject({ name: 'Error', message: 'just text' });
  });
});
