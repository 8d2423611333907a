import { expect, test } from 'vitest';
import { openBackend } from '../../src/plugin/backend.ts';
import { forEachMac, listAfter, type MacList, wholeList } from '../../src/store/macList.ts';
import { readSettings } from '../../src/store/storeSettings.ts';

const MACS = ['a', 'b', 'c'];

async function taken(list: MacList): Promise<string[]> {
  const macs: string[] = [];
  await forEachMac(list, (mac) => macs.push(mac));
  return macs;
}

async function oneByOne(list: MacList): Promise<string[]> {
  const macs: string[] = [];
  for await (const mac of list) macs.push(mac);
  return macs;
}

async function* streamed() {
  yield* MACS;
}

test('a whole list is the same at once and one by one, and begins when it is asked for', async () => {
  let begun = 0;
  const list = wholeList(async () => {
    begun++;
    return MACS;
  });
  expect(begun).toBe(0);
  expect(await oneByOne(list)).toEqual(MACS);
  expect(await taken(list)).toEqual(MACS);
  expect(begun).toBe(2);
});

test('all are taken at once where that can be, and else one by one', async () => {
  const failing: MacList = {
    atOnce: async () => MACS,
    [Symbol.asyncIterator]: () => {
      throw new Error('one by one');
    },
  };
  expect(await taken(failing)).toEqual(MACS);
  expect(await taken(streamed())).toEqual(MACS);
});

test.each([
  ['whole', wholeList(async () => MACS)],
  ['streamed', streamed()],
])('a list that is %s waits for what has to come before it', async (_, inner) => {
  const done: string[] = [];
  const list = listAfter(async () => {
    done.push('before');
  }, inner);
  expect(list.atOnce === undefined).toBe(!('atOnce' in inner));
  expect(done).toEqual([]);
  await forEachMac(list, (mac) => done.push(mac));
  expect(done).toEqual(['before', ...MACS]);
});

test('what has failed before a list fails the list', async () => {
  const failing = () => Promise.reject(new Error('before'));
  await expect(
    taken(
      listAfter(
        failing,
        wholeList(async () => MACS),
      ),
    ),
  ).rejects.toThrow('before');
  await expect(taken(listAfter(failing, streamed()))).rejects.toThrow('before');
});

test('the plugin takes all at once: no store around that of the registry takes it apart', async () => {
  const noSetting = () => undefined;
  const settings = readSettings(noSetting, noSetting);
  const backend = openBackend('oci://127.0.0.1:1/kloset/store', settings, () => {});
  expect(backend.store.list('packfile').atOnce).toBeTypeOf('function');
  await backend.close();
});
