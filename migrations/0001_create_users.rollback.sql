-- Fails while another table refers to users, which is right: those are rolled back first.

DROP TABLE users;
