import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/flow/clock.ts';
import { RecentTags } from '../../src/registry/recentTags.ts';

describe('a tag that was just written', () => {
  function rig(absentFor: number) {
    const clock = new VirtualClock();
    const tags = new RecentTags(clock);
    let asked = 0;
    const attempt = async () => (asked++ < absentFor ? undefined : 'there');
    const ask = (tag = 'a') => tags.ask(tag, attempt, (answer) => answer === undefined, undefined);
    return { clock, tags, ask, asked: () => asked };
  }

  it('is asked for again until it is there, and for three seconds at most', async () => {
    const late = rig(3);
    late.tags.written('a');
    expect(await late.ask()).toBe('there');
    expect(late.clock.sleeps).toEqual([100, 200, 400]);

    const lost = rig(100);
    lost.tags.written('a');
    expect(await lost.ask()).toBeUndefined();
    expect(lost.clock.now()).toBe(3000);
  });

  it.each(['b', 'a-deleted', 'a-old'])('is not %s, which is asked for once', async (tag) => {
    const { clock, tags, ask, asked } = rig(100);
    for (const written of ['a', 'a-deleted', 'a-old']) tags.written(written);
    tags.deleted('a-deleted');
    if (tag === 'a-old') await clock.sleep(10_000);
    expect(await ask(tag)).toBeUndefined();
    expect(asked()).toBe(1);
  });

  it('is forgotten in time, however many are written', async () => {
    const { clock, tags, ask, asked } = rig(100);
    for (let i = 0; i < 5000; i++) {
      tags.written(`tag-${i}`);
      if (i % 100 === 0) await clock.sleep(1000);
    }
    await ask('tag-10');
    expect(asked()).toBe(1);
    await ask('tag-4999');
    expect(asked()).toBe(7);
  });
});
