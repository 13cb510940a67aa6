//! Every command, event by event: given what happened, when somebody wants this, then that happens or the
//! refusal has this name and points there.

use domain::{
    Command, Event,
    command::{
        CategoryPatch, EntryDraft, EntryPatch, ImportLine, ImportStart, NewAccount, NewCategory,
        OpeningBalance, Reading, SettingsPatch, Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, Entry, EntryKind, Imported, statement_mark},
    event::{AccountWords, CategoryWords, JudgedLine, Role, Settings, Verdict, Weekday},
    id::EntryId,
    posting::{Ledger, Posting, Postings},
};

use crate::{
    names::{amount, currency, date, euros, id, text, today},
    world::World,
};

struct Given(World);

fn given(commits: &[&[Event]]) -> Given {
    let mut world = World::default();
    for commit in commits {
        world.commit(commit.to_vec());
    }
    world.check();
    Given(world)
}

impl Given {
    fn when(mut self, actor: &str, command: Command) -> Outcome {
        let answer = self.0.execute(id(actor), &command);
        self.0.check();
        Outcome(answer)
    }
}

struct Outcome(Result<Vec<Event>, domain::Rejection>);

impl Outcome {
    #[track_caller]
    fn then(self, expected: &[Event]) {
        assert_eq!(self.0.as_deref(), Ok(expected));
    }

    #[track_caller]
    fn refused(self, code: &str, pointer: Option<&str>) {
        let rejection = self.0.expect_err("the command is refused");
        assert_eq!((rejection.code(), rejection.pointer().as_deref()), (code, pointer), "{rejection}");
    }
}

fn settings(name: &str) -> Settings {
    Settings {
        name: text(name),
        currency: currency("EUR"),
        time_zone: "Europe/Berlin".to_owned(),
        week_starts_on: Weekday::Monday,
        month_starts_on: 1,
    }
}

fn account_opened(name: &str) -> Event {
    Event::AccountOpened {
        account: id(name),
        name: text(name),
        kind: AccountKind::Bank,
        currency: currency("EUR"),
        opened_on: today(),
    }
}

fn category_added(name: &str, kind: CategoryKind, parent: Option<&str>) -> Event {
    Event::CategoryAdded {
        category: id(name),
        name: text(name),
        kind,
        parent: parent.map(id),
        icon: Some("dots".to_owned()),
        colour: None,
    }
}

/// A household's book with two accounts and a few categories.
fn household() -> Vec<Event> {
    vec![
        Event::BookCreated { settings: settings("Home") },
        Event::MemberAdded { user: id("olga"), role: Role::Owner },
        Event::MemberAdded { user: id("eddy"), role: Role::Editor },
        Event::MemberAdded { user: id("vera"), role: Role::Viewer },
        account_opened("cash"),
        account_opened("bank"),
        category_added("food", CategoryKind::Expense, None),
        category_added("bread", CategoryKind::Expense, Some("food")),
        category_added("pay", CategoryKind::Income, None),
    ]
}

fn new_account(name: &str) -> NewAccount {
    NewAccount {
        account: id(name),
        name: text(name),
        kind: AccountKind::Bank,
        currency: None,
        opened_on: today(),
        opening_balance: None,
    }
}

fn new_category(name: &str, kind: CategoryKind, parent: Option<&str>) -> NewCategory {
    let icon = Some("dots".to_owned());
    NewCategory { category: id(name), name: text(name), kind, parent: parent.map(id), icon, colour: None }
}

fn expense(value: &str, category: &str) -> EntryDraft {
    EntryDraft {
        sorting: Sorting::Whole(id(category)),
        payee: Some(text("Corner shop")),
        ..EntryDraft::told(EntryKind::Expense, today(), id("cash"), amount(value))
    }
}

fn entry(name: &str, kind: EntryKind, postings: &[(Ledger, &str)]) -> Entry {
    let postings = postings.iter().map(|(ledger, value)| Posting::new(*ledger, euros(value))).collect();
    Entry {
        id: id(name),
        kind,
        occurred_on: today(),
        postings: Postings::balanced(postings).unwrap(),
        payee: Some(text("Corner shop")),
        note: None,
        tags: vec![],
        refund_of: None,
        foreign: None,
        imported: None,
    }
}

fn cash() -> Ledger {
    Ledger::Account(id("cash"))
}

fn bank() -> Ledger {
    Ledger::Account(id("bank"))
}

fn food() -> Ledger {
    Ledger::Category(id("food"))
}

fn lunch() -> Entry {
    entry("lunch", EntryKind::Expense, &[(cash(), "-12.50"), (food(), "12.50")])
}

fn lunch_added() -> Vec<Event> {
    vec![Event::EntryAdded { entry: lunch() }]
}

fn add(name: &str, draft: EntryDraft) -> Command {
    Command::AddEntry { entry: id(name), draft }
}

fn correct(patch: EntryPatch) -> Command {
    Command::CorrectEntry { entry: id("lunch"), patch }
}

#[test]
fn a_new_book_has_its_maker_as_owner_and_what_it_begins_with() {
    given(&[])
        .when(
            "olga",
            Command::CreateBook {
                settings: settings("Home"),
                accounts: vec![new_account("cash")],
                categories: vec![
                    new_category("food", CategoryKind::Expense, None),
                    new_category("bread", CategoryKind::Expense, Some("food")),
                ],
            },
        )
        .then(&[
            Event::BookCreated { settings: settings("Home") },
            Event::MemberAdded { user: id("olga"), role: Role::Owner },
            account_opened("cash"),
            category_added("food", CategoryKind::Expense, None),
            category_added("bread", CategoryKind::Expense, Some("food")),
        ]);
}

#[test]
fn what_a_new_book_begins_with_obeys_the_rules_of_every_book() {
    let create = |accounts: Vec<NewAccount>, categories: Vec<NewCategory>| {
        let command = Command::CreateBook { settings: settings("Home"), accounts, categories };
        given(&[]).when("olga", command)
    };
    let food = || new_category("food", CategoryKind::Expense, None);
    let below = |name, parent| new_category(name, CategoryKind::Expense, Some(parent));

    create(vec![new_account("cash"), new_account("cash")], vec![]).refused("id_taken", Some("/id"));
    let same_name = NewAccount { account: id("purse"), ..new_account("cash") };
    create(vec![new_account("cash"), same_name], vec![]).refused("name_taken", Some("/name"));
    create(vec![], vec![food(), food()]).refused("id_taken", Some("/id"));
    create(vec![], vec![below("bread", "food"), food()]).refused("unknown_category", Some("/parent"));
    create(vec![], vec![below("food", "food")]).refused("unknown_category", Some("/parent"));
    create((0..501).map(|n| new_account(&format!("a{n}"))).collect(), vec![]).refused("limit_reached", None);
}

#[test]
fn the_starter_set_makes_a_book() {
    let mut next = 0;
    let (accounts, categories) = domain::starter::starter_set(today(), &mut || {
        next += 1;
        uuid::Uuid::from_u128(next)
    });
    let things = accounts.len() + categories.len();
    let command = Command::CreateBook { settings: settings("Home"), accounts, categories };

    let Outcome(answer) = given(&[]).when("olga", command);

    assert_eq!(answer.map(|events| events.len()), Ok(things + 2));
}

#[test]
fn a_book_is_made_once() {
    let command = Command::CreateBook { settings: settings("Again"), accounts: vec![], categories: vec![] };
    given(&[&household()]).when("olga", command).refused("book_exists", None);
}

#[test]
fn the_settings_given_change_and_the_others_stay() {
    let patch =
        SettingsPatch { name: Some(text("Flat")), month_starts_on: Some(25), ..SettingsPatch::default() };
    let changed = Settings { month_starts_on: 25, ..settings("Flat") };
    given(&[&household()])
        .when("olga", Command::ChangeBook(patch))
        .then(&[Event::BookChanged { settings: changed, before: settings("Home") }]);
    given(&[&household()])
        .when("olga", Command::ChangeBook(SettingsPatch::default()))
        .refused("nothing_to_change", None);
}

#[test]
fn an_account_opens_with_what_was_in_it() {
    let opening_balance = OpeningBalance { entry: id("debt"), amount: amount("-250") };
    let card = NewAccount { opening_balance: Some(opening_balance), ..new_account("card") };
    let ledger = Ledger::Account(id("card"));
    let debt =
        entry("debt", EntryKind::OpeningBalance, &[(ledger, "-250"), (Ledger::OpeningBalances, "250")]);
    given(&[&household()])
        .when("eddy", Command::OpenAccount(card))
        .then(&[account_opened("card"), Event::EntryAdded { entry: Entry { payee: None, ..debt } }]);
}

#[test]
fn an_account_that_was_empty_opens_without_an_entry() {
    let opening_balance = OpeningBalance { entry: id("none"), amount: amount("0.00") };
    let card = NewAccount { opening_balance: Some(opening_balance), ..new_account("card") };
    given(&[&household()]).when("eddy", Command::OpenAccount(card)).then(&[account_opened("card")]);
}

#[test]
fn an_account_changes_its_name_or_kind() {
    let rename = |name: Option<&str>, kind| {
        let command = Command::ChangeAccount { account: id("cash"), name: name.map(text), kind };
        given(&[&household()]).when("eddy", command)
    };
    let before = || AccountWords { name: text("cash"), kind: AccountKind::Bank };
    let changed = |name: &str, kind| Event::AccountChanged {
        account: id("cash"),
        name: text(name),
        kind,
        before: before(),
    };
    rename(Some("Purse"), None).then(&[changed("Purse", AccountKind::Bank)]);
    rename(None, Some(AccountKind::Cash)).then(&[changed("cash", AccountKind::Cash)]);
    rename(Some("CASH"), None).then(&[changed("CASH", AccountKind::Bank)]);
    rename(Some("BANK"), None).refused("name_taken", Some("/name"));
    rename(None, None).refused("nothing_to_change", None);
}

#[test]
fn an_account_closes_and_reopens() {
    let closed = [Event::AccountClosed { account: id("cash") }];
    let close = Command::CloseAccount { account: id("cash") };
    let reopen = Command::ReopenAccount { account: id("cash") };
    given(&[&household()]).when("eddy", close.clone()).then(&closed);
    given(&[&household(), &closed]).when("eddy", close).refused("account_closed", Some(""));
    given(&[&household(), &closed])
        .when("eddy", reopen.clone())
        .then(&[Event::AccountReopened { account: id("cash") }]);
    given(&[&household()]).when("eddy", reopen).refused("account_not_closed", None);
}

#[test]
fn a_category_is_added_below_another() {
    let new = new_category("cake", CategoryKind::Expense, Some("bread"));
    given(&[&household()]).when("eddy", Command::AddCategory(new)).then(&[category_added(
        "cake",
        CategoryKind::Expense,
        Some("bread"),
    )]);
}

#[test]
fn a_category_moves_and_loses_what_is_taken_away() {
    let patch = CategoryPatch { parent: Some(None), icon: Some(None), ..CategoryPatch::default() };
    let changed = Event::CategoryChanged {
        category: id("bread"),
        name: text("bread"),
        parent: None,
        icon: None,
        colour: None,
        before: CategoryWords {
            name: text("bread"),
            parent: Some(id("food")),
            icon: Some("dots".to_owned()),
            colour: None,
        },
    };
    given(&[&household()])
        .when("eddy", Command::ChangeCategory { category: id("bread"), patch })
        .then(&[changed]);
}

#[test]
fn a_category_is_archived_and_restored() {
    let archived = [Event::CategoryArchived { category: id("food") }];
    let archive = Command::ArchiveCategory { category: id("food") };
    let restore = Command::RestoreCategory { category: id("food") };
    given(&[&household()]).when("eddy", archive.clone()).then(&archived);
    given(&[&household(), &archived]).when("eddy", archive).refused("category_archived", Some(""));
    given(&[&household(), &archived])
        .when("eddy", restore.clone())
        .then(&[Event::CategoryRestored { category: id("food") }]);
    given(&[&household()]).when("eddy", restore).refused("category_not_archived", None);
}

#[test]
fn an_expense_leaves_the_account_and_reaches_the_category() {
    given(&[&household()]).when("eddy", add("lunch", expense("12.5", "food"))).then(&lunch_added());
}

#[test]
fn a_split_posts_each_part_with_its_note() {
    let parts = [("food", "10", None), ("bread", "2.50", Some("rolls"))];
    let splits = parts.map(|(category, value, note)| SplitDraft {
        category: id(category),
        amount: amount(value),
        note: note.map(text),
    });
    let draft = EntryDraft { sorting: Sorting::Split(splits.to_vec()), ..expense("12.50", "food") };
    let mut rolls = Posting::new(Ledger::Category(id("bread")), euros("2.50"));
    rolls.note = Some(text("rolls"));
    let postings = vec![Posting::new(cash(), euros("-12.50")), Posting::new(food(), euros("10")), rolls];
    let split = Entry { postings: Postings::balanced(postings).unwrap(), ..lunch() };
    given(&[&household()]).when("eddy", add("lunch", draft)).then(&[Event::EntryAdded { entry: split }]);
}

#[test]
fn a_refund_nets_the_category_of_its_expense() {
    let draft =
        EntryDraft { kind: EntryKind::Refund, refund_of: Some(id("lunch")), ..expense("2.50", "food") };
    let back = entry("back", EntryKind::Refund, &[(cash(), "2.50"), (food(), "-2.50")]);
    given(&[&household(), &lunch_added()])
        .when("eddy", add("back", draft))
        .then(&[Event::EntryAdded { entry: Entry { refund_of: Some(id("lunch")), ..back } }]);
}

#[test]
fn a_transfer_moves_money_between_accounts() {
    let draft = EntryDraft {
        kind: EntryKind::Transfer,
        sorting: Sorting::Unsorted,
        to_account: Some(id("bank")),
        ..expense("40", "food")
    };
    let moved = entry("moved", EntryKind::Transfer, &[(cash(), "-40"), (bank(), "40")]);
    given(&[&household()]).when("eddy", add("moved", draft)).then(&[Event::EntryAdded { entry: moved }]);
}

#[test]
fn a_correction_changes_what_is_given_and_says_the_entry_whole() {
    let patch = EntryPatch {
        amount: Some(amount("13")),
        occurred_on: Some(date("2026-11-22")),
        payee: Some(None),
        note: Some(Some(text("with Ana"))),
        tags: Some(vec![text("work")]),
        foreign: Some(Some(domain::money::Money { minor: 1_500, currency: currency("USD") })),
        ..EntryPatch::default()
    };
    let corrected = Entry {
        occurred_on: date("2026-11-22"),
        payee: None,
        note: Some(text("with Ana")),
        tags: vec![text("work")],
        foreign: Some(domain::money::Money { minor: 1_500, currency: currency("USD") }),
        ..entry("lunch", EntryKind::Expense, &[(cash(), "-13"), (food(), "13")])
    };
    given(&[&household(), &lunch_added()])
        .when("eddy", correct(patch))
        .then(&[Event::EntryCorrected { entry: Box::new(corrected), before: Box::new(lunch()) }]);
    given(&[&household(), &lunch_added()])
        .when("eddy", correct(EntryPatch::default()))
        .refused("nothing_to_change", None);
}

#[test]
fn an_entry_is_removed_and_restored() {
    let removed = [Event::EntryRemoved { entry: id("lunch") }];
    let remove = Command::RemoveEntry { entry: id("lunch") };
    let restore = Command::RestoreEntry { entry: id("lunch") };
    given(&[&household(), &lunch_added()]).when("eddy", remove.clone()).then(&removed);
    given(&[&household(), &lunch_added(), &removed]).when("eddy", remove).refused("entry_removed", None);
    given(&[&household(), &lunch_added(), &removed])
        .when("eddy", restore.clone())
        .then(&[Event::EntryRestored { entry: id("lunch") }]);
    given(&[&household(), &lunch_added()]).when("eddy", restore).refused("entry_not_removed", None);
}

fn mark() -> String {
    statement_mark(id("cash"), today(), -1_250, "Corner shop")
}

fn import_line(line: u64, entry: &str) -> ImportLine {
    let draft = Box::new(expense("12.50", "food"));
    ImportLine { line, reading: Reading::Entry { entry: id(entry), draft, mark: mark() } }
}

fn imported(name: &str, line: u64) -> Event {
    let imported = Imported { import: id("file"), line, mark: text(&mark()) };
    Event::EntryAdded { entry: Entry { id: id(name), imported: Some(imported), ..lunch() } }
}

fn judged(verdicts: Vec<Verdict>) -> Event {
    let lines = (1..).zip(verdicts).map(|(line, verdict)| JudgedLine { line, verdict }).collect();
    Event::ImportLinesJudged { import: id("file"), lines }
}

fn started(lines: u64) -> Event {
    Event::ImportStarted { import: id("file"), file_name: text("november.csv"), lines }
}

#[test]
fn each_line_of_a_statement_is_taken_known_or_refused() {
    let unreadable =
        Reading::Unreadable { code: "date_unreadable".to_owned(), detail: text("31.11. is no day") };
    let refused = Verdict::Refused { code: "date_unreadable".to_owned(), detail: text("31.11. is no day") };
    let command = Command::ImportLines {
        import: id("file"),
        start: Some(ImportStart { file_name: text("november.csv"), lines: 3 }),
        lines: vec![
            import_line(1, "one"),
            import_line(2, "two"),
            ImportLine { line: 3, reading: unreadable },
        ],
        finish: true,
        all_or_nothing: false,
    };
    given(&[&household(), &lunch_added()]).when("eddy", command).then(&[
        started(3),
        imported("two", 2),
        judged(vec![
            Verdict::DuplicateOf { entry: id("lunch") },
            Verdict::Taken { entry: id("two") },
            refused,
        ]),
        Event::ImportFinished { import: id("file") },
    ]);
}

#[test]
fn an_import_is_reverted_a_stretch_at_a_time() {
    let taken = |name: &str| Verdict::Taken { entry: id::<domain::id::kind::Entry>(name) };
    let names = ["one", "three", "two"];
    let mut file = vec![started(3)];
    file.extend(names.iter().map(|name| imported(name, 1)));
    file.push(judged(names.map(taken).to_vec()));
    let finished = [Event::ImportFinished { import: id("file") }];
    let removed = |names: &[&str]| -> Vec<Event> {
        names.iter().map(|name| Event::EntryRemoved { entry: id::<domain::id::kind::Entry>(name) }).collect()
    };
    let reverted = |complete| Event::ImportReverted { import: id("file"), complete };
    let revert = |entries_max| Command::RevertImport { import: id("file"), entries_max };

    given(&[&household(), &file]).when("eddy", revert(2)).refused("import_unfinished", None);
    let first = [removed(&["one", "three"]), vec![reverted(false)]].concat();
    given(&[&household(), &file, &finished]).when("eddy", revert(2)).then(&first);
    given(&[&household(), &file, &finished, &first])
        .when("eddy", revert(2))
        .then(&[removed(&["two"]), vec![reverted(true)]].concat());
    given(&[&household(), &file, &finished, &[reverted(true)]])
        .when("eddy", revert(2))
        .refused("import_reverted", None);
    given(&[&household(), &file, &finished]).when("eddy", revert(0)).refused("nothing_to_change", None);
}

#[test]
fn who_may_do_what_follows_from_the_role() {
    let remove = || Command::RemoveEntry { entry: id::<domain::id::kind::Entry>("lunch") };
    let rename =
        || Command::ChangeBook(SettingsPatch { name: Some(text("Flat")), ..SettingsPatch::default() });
    let try_as = |actor: &str, command| given(&[&household(), &lunch_added()]).when(actor, command).0.is_ok();
    for (actor, may_write, may_rename) in
        [("olga", true, true), ("eddy", true, false), ("vera", false, false), ("stranger", false, false)]
    {
        assert_eq!((try_as(actor, remove()), try_as(actor, rename())), (may_write, may_rename), "{actor}");
    }
    let lunch: EntryId = id("lunch");
    given(&[&household()]).when("vera", Command::RemoveEntry { entry: lunch }).refused("role_forbids", None);
    given(&[&household()])
        .when("stranger", Command::RemoveEntry { entry: lunch })
        .refused("book_not_found", None);
    given(&[]).when("olga", Command::RemoveEntry { entry: lunch }).refused("book_not_found", None);
}
