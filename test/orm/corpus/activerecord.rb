# The corpus as ActiveRecord's users write it: associations, a transaction around each save, no query cache.
# `--list` names the scenarios, NAME does one, once.

require "logger"
require "active_record"

ActiveRecord::Base.establish_connection(
  adapter: "postgresql", host: ENV["PGHOST"], port: ENV["PGPORT"], username: ENV["PGUSER"],
  database: ENV["PGDATABASE"], application_name: "activerecord", prepared_statements: !ENV["BEHIND_PGBOUNCER"]
)

class Country < ActiveRecord::Base
end

class Author < ActiveRecord::Base
  belongs_to :country, foreign_key: "country_code"
  has_many :books
  has_one :biography
end

class Biography < ActiveRecord::Base
  belongs_to :author
end

class Tag < ActiveRecord::Base
end

class Book < ActiveRecord::Base
  belongs_to :author
  has_many :chapters
  has_and_belongs_to_many :tags, join_table: "book_tags"
end

class Chapter < ActiveRecord::Base
  belongs_to :book
end

class Shelf < ActiveRecord::Base
  has_many :children, class_name: "Shelf", foreign_key: "parent_id"
end

class Reader < ActiveRecord::Base
  has_many :loans
end

class Loan < ActiveRecord::Base
  belongs_to :reader
  belongs_to :book
end

class Order < ActiveRecord::Base
end

# The key has two columns; naming one of them is what users of versions without such keys do.
class OrderLine < ActiveRecord::Base
  self.primary_key = "order_id"
end

class Job < ActiveRecord::Base
end

class Event < ActiveRecord::Base
end

class Worker < ActiveRecord::Base
end

class Setting < ActiveRecord::Base
end

SCENARIOS = {}

def scenario(name, &block)
  SCENARIOS[name.to_s] = block
end

# A client that did not do what it says must not be judged.
def check(actual, expected)
  abort "expected #{expected.inspect}, got #{actual.inspect}" unless actual == expected
end

def pause(milliseconds)
  sleep milliseconds / 1000.0
end

def transaction(&block)
  ActiveRecord::Base.transaction(&block)
end

def each_author
  authors = Author.all.to_a
  check authors.size, 10
  authors
end

# The same once more, in one explicit transaction.
def in_transaction(name)
  scenario("#{name}_in_transaction") { transaction { SCENARIOS[name.to_s].call } }
end

# Loops over rows.

scenario :lazy_to_one do
  books = Book.where("number % 9 = 1").order(:number)
  check books.map { |book| book.author.id }, (1..10).to_a
end

scenario :lazy_to_many do
  check each_author.map { |author| author.books.to_a.size }, [9] * 10
end
in_transaction :lazy_to_many

scenario :nested do
  check each_author.flat_map { |author| author.books.to_a }.sum { |book| book.chapters.to_a.size }, 180
end
in_transaction :nested

scenario :one_to_one do
  check each_author.map { |author| author.biography.id - author.id }.uniq, [100]
end

scenario :text_key do
  check each_author.map { |author| author.country.name }.uniq.size, 10
end

scenario :uuid_key do
  check Book.where(number: ..20).map { |book| book.chapters.to_a.size }, [2] * 20
end

scenario :many_to_many do
  check Book.where(number: ..12).map { |book| book.tags.to_a.size }, [2] * 12
end

scenario :counts do
  check each_author.map { |author| author.books.count }, [9] * 10
end

scenario :sums do
  check each_author.all? { |author| author.books.sum(:price).positive? }, true
end

scenario :exists do
  check each_author.map { |author| author.books.exists? }, [true] * 10
end

scenario :filtered_children do
  check each_author.map { |author| author.books.where(published: true).to_a.size }, [6] * 10
end

scenario :first_per_parent do
  each_author.each { |author| check author.books.order(number: :desc).first.number, 9 * author.id }
end

scenario :tree_walk do
  walk = ->(shelf) { 1 + shelf.children.to_a.sum { |child| walk.call(child) } }
  check walk.call(Shelf.find(1)), 43
end

scenario :large_loop do
  check Reader.where(id: ..500).sum { |reader| reader.loans.to_a.size }, 1000
end

scenario :repeated_pages do
  5.times do |page|
    readers = Reader.where(id: 6 * page + 1..6 * page + 6)
    check readers.map { |reader| reader.loans.to_a.size }, [2] * 6
    pause 100
  end
end

scenario :two_loops_on_a_page do
  each_author.each do |author|
    check author.biography.author_id, author.id
    check author.books.count, 9
  end
end

# Keys that come from the application.

scenario :lookup_loop do
  3.step(90, 3) { |number| check Reader.find(number).name, "Reader #{number}" }
end

scenario :lookup_loop_by_email do
  (1..25).each { |number| check Reader.find_by!(email: "reader#{number}@example.org").id, number }
end

scenario :composite_lookup do
  (1..15).each { |number| check OrderLine.find_by!(order_id: number, line: 2).title, "Line 2" }
end

scenario :duplicates do
  20.times { check Setting.find("setting-3").value, "value 3" }
end

scenario :same_parent do
  chapters = Chapter.joins(:book).where(books: { author_id: 1 }).to_a
  check chapters.size, 18
  chapters.each { check Author.find(1).name, "Author 1" }
end

# Writes.

scenario :insert_loop do
  20.times { |number| Event.create!(kind: "new #{number}") }
end
in_transaction :insert_loop

scenario :update_loop do
  readers = Reader.where(id: ..20).to_a
  check readers.size, 20
  readers.each { |reader| reader.update!(name: "#{reader.name}!") }
end
in_transaction :update_loop

scenario :delete_loop do
  (1..15).each { |number| Job.find(number).destroy! }
end

scenario :transaction_per_row do
  (1..15).each do |number|
    transaction do
      reader = Reader.find(number)
      reader.update!(name: "#{reader.name}!")
    end
  end
end

scenario :find_or_create do
  (1..15).each { |number| Tag.find_or_create_by!(name: "new-#{number}") { |tag| tag.id = 100 + number } }
end

# What is well done.

scenario :eager_join do
  check Author.eager_load(:books).map { |author| author.books.size }, [9] * 10
end

scenario :eager_batch do
  authors = Author.preload(books: :chapters)
  check authors.flat_map { |author| author.books.to_a }.sum { |book| book.chapters.size }, 180
end

scenario :chunked do
  (1..200).each_slice(10) { |numbers| check Loan.where(reader_id: numbers).to_a.size, 20 }
end

scenario :chunked_tail do
  (1..78).each_slice(7) { |numbers| check Reader.where(id: numbers).to_a.size, numbers.size }
end

scenario :bulk_insert do
  Event.insert_all(Array.new(50) { |number| { kind: "new #{number}", created_at: Time.now } })
end

scenario :bulk_update do
  check Reader.where(id: ..50).update_all("name = name || '!'"), 50
end

scenario :upsert_batch do
  Setting.upsert_all((1..20).map { |number| { name: "setting-#{number}", value: "new" } }, unique_by: :name)
end

scenario :polling do
  15.times do
    check Job.where(state: "waiting").count, 60
    check Setting.find("setting-1").value, "value 1"
    pause 80
  end
end

scenario :heartbeat do
  12.times do
    check Worker.where(name: "worker-1").update_all("seen_at = now()"), 1
    pause 80
  end
end

def page_of_loans(page)
  check Loan.order(:id).limit(20).offset(20 * page).to_a.size, 20
end

scenario :offset_pages do
  12.times { |page| page_of_loans(page) }
end

scenario :keyset_pages do
  last = 0
  12.times { last = Loan.where("id > ?", last).order(:id).limit(20).to_a.last.id }
  check last, 240
end

scenario :pager_with_count do
  8.times do |page|
    check Loan.count, 1200
    page_of_loans(page)
    pause 80
  end
end

scenario :queue_worker do
  15.times do
    transaction do
      Job.lock("FOR UPDATE SKIP LOCKED").where(state: "waiting").order(:id).first.update!(state: "done")
    end
  end
end

scenario :few_children do
  check Author.where(id: ..3).map { |author| author.books.to_a.size }, [9] * 3
end

scenario :list_then_detail do
  author = each_author.find { |candidate| candidate.id == 4 }
  check author.books.to_a.size, 9
  check author.biography.id, 104
  check author.country.name, "Country 4"
end

def show_reader(number)
  loans = Reader.find(number).loans.order(:id).to_a
  check loans.size, 2
  check loans.first.book.number, 1 + number % 90
end

scenario :requests do
  (1..12).each do |number|
    show_reader(number)
    pause 80
  end
end

scenario :requests_in_transactions do
  (1..12).each do |number|
    transaction { show_reader(number) }
    pause 80
  end
end

scenario :same_user_requests do
  12.times do |page|
    check Reader.find(7).name, "Reader 7"
    page_of_loans(page)
    pause 80
  end
end

scenario :order_with_lines do
  transaction do
    Order.create!(id: 900, reader_id: 1)
    (1..3).each { |line| OrderLine.create!(order_id: 900, line: line, title: "Line #{line}", quantity: 1) }
  end
end

scenario :dashboard do
  check Country.count, 10
  check Author.where(active: true).count, 10
  check Biography.maximum(:id), 110
  check Book.minimum(:price), 1.5
  check Chapter.count, 180
  check Reader.count, 600
  check Loan.distinct.count(:reader_id), 600
  check OrderLine.sum(:quantity), 180
  check Job.where(state: "waiting").count, 60
  check Event.count, 600
end

scenario :date_ranges do
  months = (1..12).map { |month| Time.utc(2026, month) }.push(Time.utc(2027))
  check months.each_cons(2).sum { |first, after| Event.where(created_at: first...after).count }, 600
end

# ActiveRecord has no cursor: it reads in batches, each after the last key of the one before.
scenario :cursor do
  check Loan.find_each(batch_size: 100).count, 1200
end

scenario :rolled_back_test do
  transaction do
    numbers = Array.new(20) { |number| Event.create!(kind: "new #{number}").id }
    numbers.each { |number| check Event.find(number).id, number }
    raise ActiveRecord::Rollback
  end
end

scenario :unnest_join do
  loans = Loan.joins("JOIN unnest(ARRAY[#{(1..100).to_a.join(', ')}]) AS u (id) ON loans.reader_id = u.id")
  check loans.to_a.size, 200
end

if ARGV[0] == "--list"
  puts SCENARIOS.keys
else
  SCENARIOS.fetch(ARGV[0]).call
  ActiveRecord::Base.connection_pool.disconnect!
end
