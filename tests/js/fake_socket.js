// The network's end of the wire: it records what the page sends and answers as the test says.

export class FakeSocket {
  /** @type {((event: any) => void) | null} */ onopen = null;
  /** @type {((event: any) => void) | null} */ onclose = null;
  /** @type {((event: any) => void) | null} */ onmessage = null;
  /** @type {any[]} */ sent = [];
  closed = false;

  /** @param {string} data */
  send(data) {
    this.sent.push(JSON.parse(data));
  }

  close() {
    this.closed = true;
  }

  accept() {
    this.onopen?.({});
  }

  /** @param {object} frame */
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** @param {number} code */
  drop(code) {
    this.onclose?.({ code });
  }

  /** @param {string} type */
  ofType(type) {
    return this.sent.filter((command) => command.type === type);
  }

  /** @param {string} type the last command of this type */
  last(type) {
    return this.ofType(type).at(-1);
  }
}

/** Opens fake sockets and remembers them. */
export class FakeNetwork {
  /** @type {FakeSocket[]} */ sockets = [];

  create = () => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  /** @returns {FakeSocket} the newest */
  get socket() {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }
}
