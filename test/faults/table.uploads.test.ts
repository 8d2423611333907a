/** The rows of the fault table in which something is written. */
import { playRows, rowsOf } from './play.ts';
import { TABLE } from './table.ts';

playRows(rowsOf(TABLE).filter(({ name }) => name.startsWith('push')));
