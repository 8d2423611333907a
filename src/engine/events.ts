/** What a run over many objects reports, for displays and logs. */
export type TransferEvent =
  /** How much there is to do, as far as it is known; may come again with more. */
  | { readonly type: 'total'; readonly objects: number; readonly bytes: number }
  | { readonly type: 'object-start'; readonly name: string; readonly bytes: number | undefined }
  /** Bytes that moved since the last event of this object. */
  | { readonly type: 'bytes'; readonly name: string; readonly bytes: number }
  /** The object is continued where an earlier run was interrupted, which had sent so many bytes of it. */
  | { readonly type: 'object-resumed'; readonly name: string; readonly bytes: number }
  | { readonly type: 'retry'; readonly name: string; readonly reason: string; readonly delayMs: number }
  | {
      readonly type: 'object-done';
      readonly name: string;
      readonly bytes: number;
      /** There already. */
      readonly skipped: boolean;
      /** Taken over from another repository without moving a byte. */
      readonly mounted?: boolean;
    }
  | { readonly type: 'object-failed'; readonly name: string; readonly error: Error };
