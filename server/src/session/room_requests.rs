//! What a client asks of its room, and what the room tells it.

use std::time::Instant;

use streamgram_protocol::room::{LeftCause, RoomEvent, RoomRequest};
use streamgram_protocol::{Code, Event, Problem};
use tokio::time::sleep_until;

use super::state::State;
use crate::room::Refused;

impl State {
    /// Asks the room, or asks for one.
    pub(super) async fn ask_room(&mut self, request: RoomRequest) -> Result<(), Problem> {
        let now = Instant::now();
        let teaches = self.room.membership.as_ref().is_some_and(|room| room.teaches());
        let limits = *self.bridge.rooms.limits();
        let (rate, who, limit) = if teaches {
            (&mut self.room.teacher_rate, "a teacher", limits.room_teacher_messages_per_s)
        } else {
            (&mut self.room.member_rate, "a member", limits.room_messages_per_s)
        };
        if !rate.spend(1, now) {
            // Nothing more of it is read meanwhile: to refuse it as fast as it comes would slow the others down.
            sleep_until(rate.free().into()).await;
            let detail = format!(
                "{who} asks more than {limit} things of a room a second, the limit is {limit}"
            );
            return Err(problem(Code::OverLimit, None, detail));
        }
        let asked = self.ask(request).await;
        asked.map_err(|refused| problem(refused.code(), refused.field(), refused.to_string()))
    }

    async fn ask(&mut self, request: RoomRequest) -> Result<(), Refused> {
        let (rooms, address) = (&self.bridge.rooms, self.address);
        let room = &mut self.room.membership;
        let there = room.as_mut().ok_or(Refused::NotInRoom);
        let (membership, entered) = match request {
            RoomRequest::Open {} => rooms.open(address).await?,
            RoomRequest::Join(join) => rooms.join(address, join).await?,
            RoomRequest::Leave {} => {
                there?;
                *room = None;
                self.tell(RoomEvent::Left { cause: LeftCause::Left });
                return Ok(());
            }
            RoomRequest::Vote(vote) => return there?.vote(vote).await,
            RoomRequest::Ran(ran) => return there?.ran(ran).await,
            RoomRequest::Lead(place) => return there?.lead(place).await,
            RoomRequest::Stage(stage) => return there?.stage(stage).await,
            RoomRequest::End {} => return there?.end().await,
        };
        *room = Some(Box::new(membership));
        self.tell(RoomEvent::Entered(entered));
        Ok(())
    }

    /// Reports what the room tells, if there is room for it. Else it waits, and only the newest is kept.
    pub(super) fn turn_room(&mut self) {
        if !self.outbox.has_room_for_raw() {
            return;
        }
        let news = self.room.membership.as_mut().map(|room| room.news());
        for event in news.into_iter().flatten() {
            if matches!(event, RoomEvent::Left { .. }) {
                self.room.membership = None;
            }
            self.tell(event);
        }
    }

    fn tell(&mut self, event: RoomEvent) {
        self.outbox.push(Instant::now(), None, Event::Room(event));
    }
}

fn problem(code: Code, field: Option<&str>, detail: String) -> Problem {
    let field = field.map(str::to_owned);
    Problem { code, detail, message: None, field, id: None, protocol: None }
}
