/** The error of a connection that its server has ended, in the form of Node's own. */
export function closedByPeer(): Error {
  return Object.assign(new Error('other side closed'), { code: 'ECONNRESET' });
}
