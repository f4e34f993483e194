import Engine
import Model
import Testing

@Suite struct ScheduleTests {
    @Test func `A step starts when its inputs are done`() throws {
        var schedule = Schedule(try Plans.diamond().steps, jobs: 4)
        #expect(schedule.start().map(\.name) == ["top"])
        #expect(schedule.start().isEmpty)
        schedule.finish("top")
        #expect(schedule.start().map(\.name) == ["left", "right"])
        schedule.finish("left")
        #expect(schedule.start().isEmpty)
        schedule.finish("right")
        #expect(schedule.start().map(\.name) == ["bottom"])
        #expect(!schedule.isFinished)
        schedule.finish("bottom")
        #expect(schedule.isFinished)
    }

    @Test(arguments: [0, 1, 2, 3])
    func `No more steps run at once than is allowed`(jobs: Int) throws {
        var schedule = Schedule(try Plans.independent(6).steps, jobs: jobs)
        let allowed = max(1, jobs)
        #expect(schedule.start().map(\.name) == (0..<allowed).map { "s\($0)" })
        #expect(schedule.start().isEmpty)
        schedule.finish("s0")
        #expect(schedule.start().map(\.name) == ["s\(allowed)"])
    }

    @Test func `A schedule without steps is finished`() {
        #expect(Schedule([], jobs: 1).isFinished)
    }
}
