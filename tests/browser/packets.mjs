// What packets come to, read from their bytes and counted here: not by the code of lab, server or page.

/** A packet event with what its own bytes say. */
export function parsed(event) {
  const bytes = Buffer.from(event.hex, "hex");
  const ip = bytes.subarray((bytes[0] & 15) * 4, bytes.readUInt16BE(2));
  const packet = { ...event, size: bytes.length, ident: bytes.readUInt16BE(4) };
  if (bytes[9] === 6) {
    const [flags, payload] = [ip[13], ip.subarray((ip[12] >> 4) * 4)];
    const [fin, syn, rst] = [1, 2, 4].map((bit) => (flags & bit) !== 0);
    return { ...packet, fin, syn, rst, seq: ip.readUInt32BE(4), ack: ip.readUInt32BE(8), payload };
  }
  const fragment = bytes.readUInt16BE(6);
  const first = (fragment & 0x1fff) === 0;
  return { ...packet, first, whole: first && (fragment & 0x2000) === 0, payload: ip.subarray(first ? 8 : 0) };
}

/** Every time at which a packet arrives: none, one, or two. */
export function arrivals({ arrives_us, copy_arrives_us }) {
  return [arrives_us, copy_arrives_us].filter((time) => time !== undefined);
}

export function lost(packets) {
  return packets.filter((packet) => arrivals(packet).length === 0);
}

export function duplicated(packets) {
  return packets.filter((packet) => arrivals(packet).length === 2);
}

/** Packets that are reordered as RFC 4737, 3.3 has it: they arrive, and one that was sent after them has. */
export function late(packets) {
  return ["client", "gateway"].flatMap((from) => {
    const sent = packets.filter((packet) => packet.from === from && arrivals(packet).length > 0);
    const arrival = (packet) => Math.min(...arrivals(packet));
    return sent.filter((packet, at) => sent.slice(at + 1).some((later) => arrival(later) < arrival(packet)));
  });
}

/** Segments that begin with something that was sent before, by their sequence numbers. */
export function sentAgain(segments) {
  const sent = {};
  return segments.filter(({ from, seq, syn, fin, payload }) => {
    const length = payload.length + Number(syn) + Number(fin);
    // Not how far it came: on a busy machine one that was sent later can be captured first.
    const known = (sent[from] ??= new Set());
    const again = length > 0 && known.has(seq);
    for (let at = 0; at < length; at += 1) known.add((seq + at) >>> 0);
    return again;
  });
}

export function bytes(packets) {
  return packets.reduce((sum, packet) => sum + packet.size, 0);
}

/** The numbers of the lines of which a payload has the end: "line 3line 4" carries 3 and 4. */
export function lines({ payload }) {
  return [...payload.toString("latin1").matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
}

/** UDP: the datagrams that reach the server whole, as numbers of lines, in the order in which they do. */
export function taken(packets) {
  const requests = packets.filter(({ from }) => from === "client");
  const datagrams = requests.filter(({ first }) => first);
  const whole = datagrams.map((datagram, at) => {
    const [number = at + 1] = lines(datagram);
    if (datagram.whole) return arrivals(datagram).map((time) => ({ time, number }));
    // A fragment that is missing takes the others with it; no test duplicates fragments.
    const parts = requests.filter(({ ident }) => ident === datagram.ident);
    return lost(parts).length > 0 ? [] : [{ time: Math.max(...parts.flatMap(arrivals)), number }];
  });
  return whole.flat().sort((one, two) => one.time - two.time).map(({ number }) => number);
}

/** UDP: the lines whose replies come back, one for each reply. The server answers what it takes in that order. */
export function answered(packets) {
  const took = taken(packets);
  const replies = packets.filter(({ from }) => from === "gateway");
  const came = replies.flatMap((reply, at) => arrivals(reply).map((time) => ({ time, number: took[at] })));
  return came.sort((one, two) => one.time - two.time).map(({ number }) => number);
}
