"""The tables of schema.sql as models of a Django application that did not make them."""

from django.db import models


class Country(models.Model):
    code = models.TextField(primary_key=True)
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "countries"


class Author(models.Model):
    country = models.ForeignKey(Country, models.CASCADE, db_column="country_code", related_name="authors")
    name = models.TextField()
    active = models.BooleanField(default=True)

    class Meta:
        managed = False
        db_table = "authors"


class Biography(models.Model):
    author = models.OneToOneField(Author, models.CASCADE)
    body = models.TextField()

    class Meta:
        managed = False
        db_table = "biographies"


class Tag(models.Model):
    name = models.TextField(unique=True)

    class Meta:
        managed = False
        db_table = "tags"


class Book(models.Model):
    id = models.UUIDField(primary_key=True)
    number = models.IntegerField(unique=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    title = models.TextField()
    published = models.BooleanField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    tags = models.ManyToManyField(Tag, db_table="book_tags")

    class Meta:
        managed = False
        db_table = "books"


class Chapter(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")
    position = models.IntegerField()
    title = models.TextField()

    class Meta:
        managed = False
        db_table = "chapters"


class Shelf(models.Model):
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "shelves"


class Reader(models.Model):
    name = models.TextField()
    email = models.TextField(unique=True)

    class Meta:
        managed = False
        db_table = "readers"


class Loan(models.Model):
    reader = models.ForeignKey(Reader, models.CASCADE, related_name="loans")
    book = models.ForeignKey(Book, models.CASCADE, related_name="loans")
    day = models.DateField()

    class Meta:
        managed = False
        db_table = "loans"


class Order(models.Model):
    reader = models.ForeignKey(Reader, models.CASCADE, related_name="orders")

    class Meta:
        managed = False
        db_table = "orders"


class OrderLine(models.Model):
    # The key has two columns; naming one of them is what users of a Django without such keys do.
    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="lines")
    line = models.IntegerField()
    title = models.TextField()
    quantity = models.IntegerField()

    class Meta:
        managed = False
        db_table = "order_lines"


class Job(models.Model):
    state = models.TextField()
    payload = models.TextField()

    class Meta:
        managed = False
        db_table = "jobs"


class Event(models.Model):
    kind = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "events"


class Worker(models.Model):
    name = models.TextField(primary_key=True)
    seen_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "workers"


class Setting(models.Model):
    name = models.TextField(primary_key=True)
    value = models.TextField()

    class Meta:
        managed = False
        db_table = "settings"
