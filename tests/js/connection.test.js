import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { comesBack, delaySeconds } from "../../static/js/backoff.js";
import { Connection } from "../../static/js/connection.js";
import { FakeNetwork } from "./fake_socket.js";

/** @type {FakeNetwork} */ let network;
/** @type {LineState[]} */ let states;
/** @type {Connection} */ let connection;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  network = new FakeNetwork();
  states = [];
  connection = new Connection({
    create: network.create,
    random: () => 1,
    handlers: { opened: () => {}, frame: () => {}, changed: (state) => states.push(state) },
  });
  connection.connect();
});

afterEach(() => mock.timers.reset());

test("waits grow, and stay short for the first half minute", () => {
  const waits = Array.from({ length: 40 }, (_, tries) => delaySeconds(tries, () => 1));
  assert.deepEqual(waits.slice(0, 5), [0.25, 0.5, 1, 1.5, 1.5]);
  assert.equal(Math.max(...waits.slice(0, 24)), 1.5);
  assert.ok(waits.slice(0, 24).reduce((sum, wait) => sum + wait) >= 30);
  assert.equal(waits.at(-1), 15);
});

test("half of a wait is chance", () => {
  assert.equal(delaySeconds(3, () => 0), 0.75);
  assert.equal(delaySeconds(3, () => 0.5), 1.125);
});

test("only 4500 to 4999 end it for good", () => {
  assert.deepEqual([1000, 1006, 1012, 4000, 4008, 4429, 4499, 4500, 4501, 4999, 5000].map(comesBack),
    [true, true, true, true, true, true, true, false, false, false, true]);
});

test("a lost line is opened again after the wait", () => {
  network.socket.accept();
  network.socket.drop(1006);
  assert.equal(network.sockets.length, 1);
  mock.timers.tick(250);
  assert.equal(network.sockets.length, 2);
});

test("a server that restarts is met again", () => {
  network.socket.accept();
  network.socket.drop(1012);
  mock.timers.tick(250);
  network.socket.accept();
  assert.equal(connection.isOpen, true);
});

test("a session that has ended is not tried again", () => {
  network.socket.accept();
  network.socket.drop(4501);
  mock.timers.tick(120_000);
  assert.equal(network.sockets.length, 1);
  assert.deepEqual(states.at(-1), { name: "ended", code: 4501 });
});

test("the state says when the next try is", () => {
  network.socket.drop(1006);
  assert.deepEqual(states.at(-1), { name: "waiting", at: Date.now() + 250 });
});

test("a nudge does not wait", () => {
  network.socket.drop(1006);
  connection.nudge();
  assert.equal(network.sockets.length, 2);
  mock.timers.tick(5_000);
  assert.equal(network.sockets.length, 2, "the old timer must not open a third one");
});

test("lines that fail at once make the waits grow", () => {
  for (const wait of [250, 500, 1000]) {
    network.socket.accept();
    network.socket.drop(4008);
    mock.timers.tick(wait - 1);
    const { length } = network.sockets;
    mock.timers.tick(1);
    assert.equal(network.sockets.length, length + 1);
  }
});

test("a line that held for a while starts the waits anew", () => {
  for (const wait of [250, 500]) {
    network.socket.drop(1006);
    mock.timers.tick(wait);
  }
  network.socket.accept();
  mock.timers.tick(5_000);
  network.socket.drop(1006);
  mock.timers.tick(250);
  assert.equal(network.sockets.length, 4);
});

test("a silent line is asked, and given up when it does not answer", () => {
  network.socket.accept();
  const [first] = network.sockets;
  mock.timers.tick(15_000);
  assert.equal(first?.ofType("ping").length, 1);
  mock.timers.tick(8_000);
  assert.equal(first?.closed, true);
  assert.equal(connection.state.name, "waiting");
});

test("an answer to the ping keeps the line", () => {
  network.socket.accept();
  for (let round = 0; round < 5; round += 1) {
    mock.timers.tick(15_000);
    network.socket.say({ type: "pong" });
  }
  assert.equal(network.sockets.length, 1);
  assert.equal(network.socket.ofType("ping").length, 5);
});

test("a line that carries events is not asked", () => {
  network.socket.accept();
  for (let second = 0; second < 60; second += 1) {
    network.socket.say({ type: "progress" });
    mock.timers.tick(1_000);
  }
  assert.equal(network.socket.ofType("ping").length, 0);
});

test("a nudge on an open line finds out quickly that it is dead", () => {
  network.socket.accept();
  connection.nudge();
  mock.timers.tick(3_000);
  assert.equal(connection.state.name, "waiting");
});

test("a connect that hangs is given up", () => {
  mock.timers.tick(10_000);
  assert.equal(network.sockets[0]?.closed, true);
  mock.timers.tick(250);
  assert.equal(network.sockets.length, 2);
});

test("nothing of a dropped socket is heard any more", () => {
  const { onmessage } = network.socket;
  assert.notEqual(onmessage, null);
  network.socket.drop(1006);
  assert.equal(network.socket.onmessage, null);
  assert.equal(network.socket.onclose, null);
});

test("a nudge leaves a young attempt to connect alone, and drops one from before a sleep", () => {
  connection.nudge();
  assert.equal(network.sockets.length, 1);
  mock.timers.setTime(Date.now() + 2_001);
  connection.nudge();
  assert.equal(network.sockets.length, 2);
});
