import { describe, expect, it } from 'vitest';
import { Block, type BlockOwner } from '../../../src/store/reads/block.ts';
import { BlockMemory } from '../../../src/store/reads/blockMemory.ts';
import { refOf } from '../../engine/rig.ts';

const BLOCK = 10;

/** A memory of ten blocks, of which five may be ahead, and blocks to fill it with. */
function startMemory() {
  const memory = new BlockMemory(10 * BLOCK, 0.5);
  const owner: BlockOwner = { ref: refOf(1), blocks: [] };
  const fill = (unread: boolean): Block => {
    const block = new Block(owner, owner.blocks.length, BLOCK, unread);
    owner.blocks.push(block);
    block.data = new Uint8Array(BLOCK);
    memory.arrived(block);
    return block;
  };
  const ahead = () => (memory.tryTakeAhead(BLOCK) ? fill(true) : undefined);
  const wanted = () => (memory.tryTake(BLOCK) ? fill(false) : undefined);
  return { memory, owner, ahead, wanted };
}

describe('the memory of blocks', () => {
  it('gives its share to what is ahead, and no more', () => {
    const { memory, ahead } = startMemory();
    expect(Array.from({ length: 7 }, ahead).filter(Boolean)).toHaveLength(5);
    expect(memory).toMatchObject({ usedBytes: 50, unreadBytes: 50, aheadRoomBytes: 0 });
  });

  it('makes room ahead again when some of it is read', () => {
    const { memory, ahead } = startMemory();
    const blocks = Array.from({ length: 5 }, ahead);
    memory.use(blocks[0] as Block);
    expect(memory).toMatchObject({ usedBytes: 50, unreadBytes: 40, firstReadBytes: 10, aheadRoomBytes: 10 });
  });

  it('does not forget what was fetched in vain', () => {
    const { memory, owner, ahead, wanted } = startMemory();
    for (let count = 0; count < 3; count++) ahead();
    for (let count = 0; count < 10; count++) wanted();
    expect(owner.blocks.slice(0, 3).every(Boolean)).toBe(true);
    expect(memory.tryTake(10 * BLOCK)).toBe(true);
    expect(owner.blocks.some(Boolean)).toBe(false);
    expect(memory).toMatchObject({ usedBytes: 100, unreadBytes: 30, aheadRoomBytes: 0 });
  });

  it('counts a block as read once', () => {
    const { memory, wanted } = startMemory();
    const block = wanted() as Block;
    memory.use(block);
    memory.use(block);
    expect(memory.firstReadBytes).toBe(10);
  });

  it('takes the longest unused of what was read', () => {
    const { memory, owner, wanted } = startMemory();
    const blocks = Array.from({ length: 10 }, wanted) as Block[];
    memory.use(blocks[0] as Block);
    wanted();
    expect([owner.blocks[0] === blocks[0], owner.blocks[1]]).toEqual([true, undefined]);
  });

  it('serves those who wait in their order, and lets nothing ahead pass them', async () => {
    const { memory } = startMemory();
    expect(memory.tryTake(8 * BLOCK)).toBe(true);
    const order: string[] = [];
    const large = memory.take(5 * BLOCK, undefined).then(() => order.push('large'));
    const small = memory.take(BLOCK, undefined).then(() => order.push('small'));
    expect([memory.tryTake(BLOCK), memory.tryTakeAhead(BLOCK), memory.aheadRoomBytes]).toEqual([
      false,
      false,
      0,
    ]);
    memory.giveBack(3 * BLOCK);
    await large;
    memory.giveBack(BLOCK);
    await small;
    expect(order).toEqual(['large', 'small']);
    expect(memory.peakBytes).toBeLessThanOrEqual(memory.capacityBytes);
  });

  it('passes on the turn of one who gives up', async () => {
    const { memory } = startMemory();
    memory.tryTake(9 * BLOCK);
    const stop = new AbortController();
    const gone = memory.take(5 * BLOCK, stop.signal);
    const next = memory.take(BLOCK, undefined);
    stop.abort();
    await expect(gone).rejects.toMatchObject({ code: 'CANCELLED' });
    await next;
    expect(memory.usedBytes).toBe(100);
  });
});
